#include "inspector_xml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

struct xml {
    xmlDocPtr document;
    bool failed;
    unsigned refused;
};

/* The handle that goes out is libxml's own element, under a name that says nothing of libxml. */
static xmlNode *inside(const struct xml_node *node)
{
    union {
        const struct xml_node *out;
        xmlNode *in;
    } same = {.out = node};
    return same.in;
}

static const struct xml_node *outside(xmlNode *node)
{
    return (const struct xml_node *)node;
}

void xml_setup(void)
{
    xmlInitParser();
}

static void silent(void *context, xmlErrorPtr fault)
{
    (void)context;
    (void)fault;
}

static int parse_failed(struct xml *x, int code, struct error *error, const char *why)
{
    xml_free(x);
    return error_set(error, code, "XML: %.200s", why);
}

int xml_parse(struct xml **ret, struct text document, struct error *error)
{
    if (document.len > XML_DOCUMENT_MAX)
        return error_set(error, -EFBIG, "XML: %zu bytes, over the limit of %d", document.len, XML_DOCUMENT_MAX);
    struct xml *x = calloc(1, sizeof(*x));
    if (!x)
        return error_set(error, -ENOMEM, "out of memory");
    xmlSetStructuredErrorFunc(NULL, silent);
    xmlResetLastError();
    x->document = xmlReadMemory(document.data, (int)document.len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOCDATA);
    if (!x->document) {
        const xmlError *fault = xmlGetLastError();
        return parse_failed(x, -EINVAL, error, fault && fault->message ? fault->message : "not a document");
    }
    if (x->document->intSubset)
        return parse_failed(x, -EINVAL, error, "a document type is refused");
    x->document->_private = x;
    *ret = x;
    return 0;
}

void xml_free(struct xml *x)
{
    if (!x)
        return;
    xmlFreeDoc(x->document);
    free(x);
}

bool xml_failed(const struct xml *x)
{
    return x->failed;
}

unsigned xml_refused(const struct xml *x)
{
    return x->refused;
}

const struct xml_node *xml_root(const struct xml *x)
{
    return outside(xmlDocGetRootElement(x->document));
}

static bool matches(const xmlNode *n, const char *space, const char *name)
{
    if (n->type != XML_ELEMENT_NODE || strcmp((const char *)n->name, name) != 0)
        return false;
    return !space || (n->ns && n->ns->href && strcmp((const char *)n->ns->href, space) == 0);
}

static xmlNode *first_match(xmlNode *from, const char *space, const char *name)
{
    xmlNode *n = from;
    while (n && !matches(n, space, name))
        n = n->next;
    return n;
}

const struct xml_node *xml_child(const struct xml_node *parent, const char *space, const char *name)
{
    return parent ? outside(first_match(inside(parent)->children, space, name)) : NULL;
}

const struct xml_node *xml_next(const struct xml_node *node)
{
    xmlNode *n = inside(node);
    const char *space = n->ns ? (const char *)n->ns->href : NULL;
    return outside(first_match(n->next, space, (const char *)n->name));
}

/* The node after @n in document order that is still below @top. */
static xmlNode *following(xmlNode *n, const xmlNode *top)
{
    if (n->type == XML_ELEMENT_NODE && n->children)
        return n->children;
    while (n != top && !n->next)
        n = n->parent;
    return n == top ? NULL : n->next;
}

const struct xml_node *xml_below(const struct xml_node *parent, const char *space, const char *name)
{
    if (!parent)
        return NULL;
    xmlNode *top = inside(parent);
    xmlNode *n = top->children;
    while (n && !matches(n, space, name))
        n = following(n, top);
    return outside(n);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static char *copied(const xmlNode *node, xmlChar *content)
{
    struct xml *x = node->doc->_private;
    struct text t = text_of((const char *)content);
    while (t.len && blank(t.data[0]))
        t = (struct text){t.data + 1, t.len - 1};
    while (t.len && blank(t.data[t.len - 1]))
        t.len--;
    char *copy = NULL;
    if (t.len > XML_TEXT_MAX)
        x->refused++;
    else if (t.len && !(copy = text_dup(t)))
        x->failed = true;
    xmlFree(content);
    return copy;
}

char *xml_attribute(const struct xml_node *node, const char *name)
{
    xmlNode *n = inside(node);
    if (!n || !xmlHasProp(n, (const xmlChar *)name))
        return NULL;
    xmlChar *content = xmlGetNoNsProp(n, (const xmlChar *)name);
    if (!content)
        return NULL;
    return copied(n, content);
}

char *xml_text(const struct xml_node *node)
{
    xmlNode *n = inside(node);
    xmlChar *content = n ? xmlNodeGetContent(n) : NULL;
    return content ? copied(n, content) : NULL;
}

bool xml_named(const struct xml_node *node, const char *name)
{
    return node && matches(inside(node), NULL, name);
}

bool xml_is(const struct xml_node *node, const char *attribute, const char *value)
{
    char *is = xml_attribute(node, attribute);
    bool same = is && strcmp(is, value) == 0;
    free(is);
    return same;
}

static int64_t number_of(char *digits)
{
    int64_t value;
    bool good = digits && text_to_i64(text_of(digits), &value) && value >= 0;
    free(digits);
    return good ? value : -1;
}

int64_t xml_attribute_number(const struct xml_node *node, const char *name)
{
    return number_of(xml_attribute(node, name));
}

int64_t xml_number(const struct xml_node *node)
{
    return number_of(xml_text(node));
}
