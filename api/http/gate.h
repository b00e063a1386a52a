/* Who may. The server listens on loopback only, so whoever reaches it is on this machine and may do everything; there
 * are no users and no tokens, and a server without authentication never answers 401.
 *
 * A web page in a browser on this machine is another matter: what it sends carries the page's site as Origin, and is
 * refused wherever it would change something. What it may read, the browser itself decides: no answer here allows it.
 */
#ifndef API_HTTP_GATE_H
#define API_HTTP_GATE_H

#include <stdbool.h>

#include "router.h"

/* True, or false with @reply filled. */
bool gate_allows(enum need need, const struct request *request, struct reply *reply);

#endif
