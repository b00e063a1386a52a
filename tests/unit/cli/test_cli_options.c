/* The command line offers what the API takes: each of a route's parameters is an option of the noun's verb, under the
 * same name, and no option is a parameter that the route lacks. */
#include <string.h>

#include "api/cli/nouns.h"
#include "api/v1/v1.h"
#include "support/run.h"

static const struct {
    const char *noun, *verb, *path;
} pairs[] = {
    {"resource", "list", "/v1/resources"}, {"resource", "show", "/v1/resources/{id}"},
    {"host", "list", "/v1/hosts"},         {"usage", "list", "/v1/usage"},
    {"meter", "list", "/v1/meters"},       {"series", "show", "/v1/series/{resource}/{meter}"},
    {"audit", "run", "/v1/audit"},         {"dead-letter", "list", "/v1/dead-letters"},
};

static const struct route *route_of(const char *path)
{
    for (size_t i = 0; i < v1_router.count; i++)
        if (strcmp(v1_router.routes[i].path, path) == 0)
            return &v1_router.routes[i];
    ck_abort_msg("no route %s", path);
}

static const struct cli_option *options_of(const char *noun, const char *verb)
{
    for (const struct noun *n = nouns; n->name; n++)
        for (const struct verb *v = n->verbs; strcmp(n->name, noun) == 0 && v->name; v++)
            if (strcmp(v->name, verb) == 0)
                return v->options;
    ck_abort_msg("no %s %s", noun, verb);
}

START_TEST(every_parameter_is_an_option)
{
    const struct route *route = route_of(pairs[_i].path);
    for (size_t i = 0; i < route->parameter_count; i++) {
        const char *name = route->parameters[i].name;
        const struct cli_option *o = options_of(pairs[_i].noun, pairs[_i].verb);
        while (o->name && strcmp(o->name, name) != 0)
            o++;
        bool format = strcmp(name, "format") == 0; /* that is --json and --csv */
        ck_assert_msg(format || (o->name && o->parameter && strcmp(o->parameter, name) == 0), "%s %s --%s",
                      pairs[_i].noun, pairs[_i].verb, name);
    }
}
END_TEST

START_TEST(every_option_is_a_parameter)
{
    const struct route *route = route_of(pairs[_i].path);
    for (const struct cli_option *o = options_of(pairs[_i].noun, pairs[_i].verb); o->name; o++) {
        size_t i = 0;
        while (o->parameter && i < route->parameter_count && strcmp(route->parameters[i].name, o->parameter) != 0)
            i++;
        ck_assert_msg(!o->parameter || i < route->parameter_count, "%s %s --%s", pairs[_i].noun, pairs[_i].verb,
                      o->name);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cli_options");
    TCase *t = tcase_create("options");
    tcase_add_loop_test(t, every_parameter_is_an_option, 0, (int)(sizeof pairs / sizeof pairs[0]));
    tcase_add_loop_test(t, every_option_is_a_parameter, 0, (int)(sizeof pairs / sizeof pairs[0]));
    suite_add_tcase(s, t);
    return test_run(s);
}
