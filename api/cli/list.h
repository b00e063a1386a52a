/* Lists: fetch the pages of an answer, all of them unless --limit says how many rows, and print them. */
#ifndef API_CLI_LIST_H
#define API_CLI_LIST_H

#include <jansson.h>

#include "command.h"

struct list_column {
    const char *key;  /* of a row; a column that the first row lacks is left out */
    const char *head; /* NULL: the key */
    bool right;
    /* What to show of @row; NULL: the member as it is. Such columns are for people: CSV leaves them out. */
    void (*show)(const json_t *row, struct buf *out);
};

struct list {
    const char *path;  /* "/v1/usage" */
    const char *array; /* its member that holds the rows */
    const struct list_column *columns;
    size_t column_count;
    const char *nothing; /* said, on stderr, where a table would be empty */
};

/* Run and print; returns an enum cli_status. */
int list_run(struct command *c, const struct list *l);
/* Print @document by the command's format. @document is borrowed. */
int list_print(struct command *c, const struct list *l, const json_t *document);
/* A member as text: strings as they are, others as JSON, null as nothing. */
void list_add_value(const json_t *value, struct buf *out);
int list_print_json(struct command *c, const json_t *document);

#endif
