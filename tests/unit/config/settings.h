/* A program's settings with an option of each type, for the tests of schema, command line and reload. */
#ifndef TESTS_UNIT_CONFIG_SETTINGS_H
#define TESTS_UNIT_CONFIG_SETTINGS_H

#include "pluvio/config/schema.h"
#include "support/folder.h"

enum color { RED, GREEN, BLUE };

struct settings {
    char *name, *note;
    int64_t count, any_count;
    bool loud;
    int64_t interval_ms, size;
    int color;
    char *listen;
    struct option_list hosts;
    struct option_map labels, kafka;
    struct option_rows mappings;
    bool once;
};

extern const struct schema test_schema;
extern const struct schema test_switches; /* --once */

/* A file in a folder of its own, and settings that hold the defaults. */
struct rig {
    char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16];
    struct settings settings;
    struct buf mistakes, notes;
};
void rig_open(struct rig *rig);
void rig_close(struct rig *rig);
void rig_write(const struct rig *rig, const char *content);
/* Are the mistakes of the last reading @wants, where each line begins with the number of the file's line? */
void rig_expect(struct rig *rig, const char *sentence, const char *wants);

#endif
