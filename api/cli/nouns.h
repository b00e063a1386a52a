/* What the command line speaks of: the table of nouns with their verbs, options and examples. */
#ifndef API_CLI_NOUNS_H
#define API_CLI_NOUNS_H

#include "command.h"

extern const struct noun nouns[]; /* ends with a NULL name */

int resource_list(struct command *c);
int resource_show(struct command *c);
int host_list(struct command *c);
int usage_list(struct command *c);
int meter_list(struct command *c);
int series_show(struct command *c);
int audit_run(struct command *c);
int decode_run(struct command *c);
int dead_letter_list(struct command *c);

#endif
