/* One option's value: from text into the settings struct, and freed. */
#ifndef COMMON_CONFIG_SCHEMA_VALUE_H
#define COMMON_CONFIG_SCHEMA_VALUE_H

#include "pluvio/config/schema.h"

/* Take @value for @o. False: @why says what was wanted. */
bool option_take(const struct option *o, void *settings, const char *value, struct buf *why);
/* Append to a list, a map or a row of rows; the texts are copied. */
bool option_list_add(struct option_list *list, const char *item);
bool option_map_add(struct option_map *map, const char *key, const char *value, int line);
/* The same, but a key that is there gets the new value. */
bool option_map_set(struct option_map *map, const char *key, const char *value);
void option_map_free(struct option_map *map);
/* What the options of a command line say, over @settings. False: @mistakes says what is wrong with it. */
bool command_line_win(const struct schema *s, const struct schema *switches, int argc, char **argv, void *settings,
                      struct buf *mistakes);
/* Free what the option holds and zero it. */
void option_clear(const struct option *o, void *settings);
bool option_equal(const struct option *o, const void *a, const void *b);

static inline void *option_at(const struct option *o, void *settings)
{
    return (char *)settings + o->offset;
}

const char *option_type_name(enum option_type type);
size_t option_size(enum option_type type);

#endif
