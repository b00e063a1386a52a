/* Asking the API: the only module that includes libcurl. */
#ifndef API_CLI_CLIENT_H
#define API_CLI_CLIENT_H

#include <jansson.h>

#include "command.h"

#define CLIENT_MAX_BYTES 268435456 /* of one answer */

/* GET @path_and_query of the command's API. *ret_status is CLI_DONE with the answer, which the caller decrefs; else
 * NULL, and the reason was printed. */
json_t *client_get(struct command *c, const char *path_and_query, int *ret_status);

#endif
