#include "client.h"

#include <curl/curl.h>
#include <string.h>

#define CONNECT_S 5L
#define ANSWER_S  620L /* longer than the API's own slowest deadline */

static size_t keep(char *data, size_t size, size_t count, void *context)
{
    struct buf *b = context;
    if (b->len + size * count > CLIENT_MAX_BYTES)
        return 0;
    buf_add(b, data, size * count);
    return b->failed ? 0 : size * count;
}

static CURLcode transfer(const char *url, struct buf *body, long *ret_http, char *why)
{
    CURL *curl = curl_easy_init();
    if (!curl)
        return CURLE_OUT_OF_MEMORY;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, ANSWER_S);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "pluvio/" PLUVIO_VERSION);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    CURLcode r = curl_easy_perform(curl);
    if (r == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_http);
    curl_easy_cleanup(curl);
    return r;
}

static int not_reached(const struct command *c, CURLcode code, const char *why)
{
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return command_fail(c, CLI_MISUSED, "--api %s: not a URL such as " CLI_DEFAULT_API, c->api);
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
        return command_fail(c, CLI_FAILED,
                            "no collector answers at %s (%s): is pluvio-collector running? Another address is given "
                            "with --api URL or PLUVIO_API",
                            c->api, *why ? why : curl_easy_strerror(code));
    return command_fail(c, CLI_FAILED, "%s: %s", c->api, *why ? why : curl_easy_strerror(code));
}

/* A 400 is about what was asked for, so it is the command line's fault. */
static int refused(const struct command *c, long http, const json_t *problem)
{
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    if (detail)
        return command_fail(c, http == 400 ? CLI_MISUSED : CLI_FAILED, "%s", detail);
    return command_fail(c, CLI_FAILED, "%s answers with status %ld: is that a Pluvio collector?", c->api, http);
}

json_t *client_get(struct command *c, const char *path_and_query, int *ret_status)
{
    struct buf url = {0}, body = {0};
    char why[CURL_ERROR_SIZE] = "";
    long http = 0;
    json_t *answer = NULL;
    size_t length = strlen(c->api);
    while (length && c->api[length - 1] == '/')
        length--;
    buf_add(&url, c->api, length);
    buf_add_string(&url, path_and_query);
    CURLcode r = transfer(buf_terminate(&url), &body, &http, why);
    if (r != CURLE_OK) {
        *ret_status = not_reached(c, r, why);
    } else {
        json_error_t error;
        answer = json_loadb(body.data ? body.data : "", body.len, JSON_REJECT_DUPLICATES, &error);
        *ret_status = CLI_DONE;
        if (http != 200 || !answer) {
            *ret_status = refused(c, http, answer);
            json_decref(answer);
            answer = NULL;
        }
    }
    buf_free(&url);
    buf_free(&body);
    return answer;
}
