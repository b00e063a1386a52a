/* XML documents from libvirt, read as a tree: the only place that knows libxml2.
 *
 * Nothing is fetched and nothing is expanded: a document with a DTD is refused, as libvirt writes none. What is handed
 * out as text is a copy with the blanks around it taken off, and no longer than XML_TEXT_MAX.
 */
#ifndef POLLERS_INSPECTOR_XML_H
#define POLLERS_INSPECTOR_XML_H

#include <stdbool.h>

#include "pluvio/base/buf.h"
#include "pluvio/base/error.h"

#define XML_DOCUMENT_MAX (4 * 1024 * 1024)
#define XML_TEXT_MAX     1024

struct xml;      /* a document */
struct xml_node; /* an element in it, lives as long */

/* -EINVAL with the parser's words, -EFBIG, -ENOMEM. */
int xml_parse(struct xml **ret, struct text document, struct error *error) __attribute__((warn_unused_result));
void xml_free(struct xml *x); /* takes NULL */
/* Out of memory since xml_parse: what was absent may not be. */
bool xml_failed(const struct xml *x);
/* Texts over XML_TEXT_MAX, treated as absent. */
unsigned xml_refused(const struct xml *x);

const struct xml_node *xml_root(const struct xml *x);
/* First child element of that local name; @space is its namespace, NULL: whatever it is. @parent may be NULL, so that
 * paths read as nested calls. */
const struct xml_node *xml_child(const struct xml_node *parent, const char *space, const char *name);
/* The next sibling of @node's own name and namespace. */
const struct xml_node *xml_next(const struct xml_node *node);
/* The first element below @parent, at any depth, in document order. */
const struct xml_node *xml_below(const struct xml_node *parent, const char *space, const char *name);

bool xml_named(const struct xml_node *node, const char *name);
bool xml_is(const struct xml_node *node, const char *attribute, const char *value);
/* Heap copies, the caller's; NULL: absent, empty or refused. @node may be NULL. */
char *xml_attribute(const struct xml_node *node, const char *name);
char *xml_text(const struct xml_node *node);
/* A decimal that is the whole attribute or text; -1: absent or no such number. */
int64_t xml_attribute_number(const struct xml_node *node, const char *name);
int64_t xml_number(const struct xml_node *node);

/* Once before threads use the parser. */
void xml_setup(void);

#endif
