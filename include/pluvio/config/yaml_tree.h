/* A YAML document as a tree with line numbers: the only module that includes libyaml.
 *
 * Plain data only: anchors, aliases, tags, duplicate keys, several documents and keys that are not scalars are
 * mistakes.
 */
#ifndef PLUVIO_CONFIG_YAML_TREE_H
#define PLUVIO_CONFIG_YAML_TREE_H

#include <stddef.h>

#include "pluvio/base/buf.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP, YAML_NULL };

struct yaml_node {
    enum yaml_kind kind;
    int line;  /* from 1 */
    char *key; /* in a map: its key; else NULL */
    int key_line;
    char *value;                /* scalar */
    struct yaml_node *children; /* list or map */
    size_t count;
};

/* Appends "FILE:LINE: ..." lines to @mistakes. @ret is always set (maybe NULL: an empty file) and freed with yaml_free.
 */
int yaml_read_file(const char *path, struct yaml_node **ret, struct buf *mistakes) __attribute__((warn_unused_result));
int yaml_read_text(const char *name, struct text content, struct yaml_node **ret, struct buf *mistakes)
    __attribute__((warn_unused_result));
/* Another name for the linker: libyaml exports a yaml_free, too, and would call ours. */
void yaml_free(struct yaml_node *node) __asm__("pluvio_yaml_free");
const struct yaml_node *yaml_child(const struct yaml_node *map, const char *key);

#endif
