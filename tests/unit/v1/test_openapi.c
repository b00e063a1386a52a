/* openapi.yaml and the table of routes say the same: every route, every parameter, its choices and range, both ways. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/v1/openapi.h"
#include "api/v1/v1.h"
#include "pluvio/config/yaml_tree.h"
#include "support/run.h"

static struct yaml_node *document;

static void setup(void)
{
    struct buf mistakes = {0};
    int r = yaml_read_text("openapi.yaml", openapi, &document, &mistakes);
    ck_assert_msg(r == 0, "%s", buf_terminate(&mistakes));
    buf_free(&mistakes);
}

static void teardown(void)
{
    yaml_free(document);
}

static const struct yaml_node *child(const struct yaml_node *n, const char *key)
{
    const struct yaml_node *c = n ? yaml_child(n, key) : NULL;
    ck_assert_msg(c != NULL, "openapi.yaml: no %s below line %d", key, n ? n->line : 0);
    return c;
}

/* "#/components/parameters/limit" */
static const struct yaml_node *resolve(const struct yaml_node *n)
{
    const struct yaml_node *reference = yaml_child(n, "$ref");
    if (!reference)
        return n;
    char path[128], *rest = path, *word;
    const struct yaml_node *at = document;
    text_copy(text_of(reference->value + 2), path, sizeof path);
    while ((word = strsep(&rest, "/")))
        at = child(at, word);
    return at;
}

static const struct yaml_node *operation_of(const struct route *route)
{
    char method[16];
    size_t i = 0;
    for (; route->method[i] && i < sizeof method - 1; i++)
        method[i] = (char)tolower((unsigned char)route->method[i]);
    method[i] = 0;
    return child(child(child(document, "paths"), route->path), method);
}

static const struct yaml_node *described(const struct yaml_node *operation, const char *where, const char *name)
{
    const struct yaml_node *list = yaml_child(operation, "parameters");
    for (size_t i = 0; list && i < list->count; i++) {
        const struct yaml_node *p = resolve(&list->children[i]);
        if (strcmp(child(p, "in")->value, where) == 0 && strcmp(child(p, "name")->value, name) == 0)
            return p;
    }
    return NULL;
}

static void same_choices(const struct parameter *p, const struct yaml_node *schema)
{
    const struct yaml_node *words = child(schema, "enum");
    size_t count = 0;
    for (; p->choices[count]; count++) {
        ck_assert_msg(count < words->count, "%s: %s is not described", p->name, p->choices[count]);
        ck_assert_str_eq(words->children[count].value, p->choices[count]);
    }
    ck_assert_uint_eq(count, words->count);
}

static void same_schema(const struct parameter *p, const struct yaml_node *schema)
{
    const char *type = child(schema, "type")->value;
    switch (p->type) {
    case PARAMETER_TEXT:
    case PARAMETER_TIME:
    case PARAMETER_DURATION:
        ck_assert_str_eq(type, "string");
        break;
    case PARAMETER_INTEGER:
        ck_assert_str_eq(type, "integer");
        ck_assert_int_eq(atoll(child(schema, "minimum")->value), p->low);
        ck_assert_int_eq(atoll(child(schema, "maximum")->value), p->high);
        break;
    case PARAMETER_CHOICE:
        ck_assert_str_eq(type, "string");
        same_choices(p, schema);
        break;
    case PARAMETER_SET:
        ck_assert_str_eq(type, "array");
        same_choices(p, child(schema, "items"));
        break;
    }
}

START_TEST(every_route_and_parameter_is_described)
{
    for (size_t i = 0; i < v1_router.count; i++) {
        const struct route *route = &v1_router.routes[i];
        const struct yaml_node *operation = operation_of(route);
        for (size_t k = 0; k < route->parameter_count; k++) {
            const struct yaml_node *p = described(operation, "query", route->parameters[k].name);
            ck_assert_msg(p != NULL, "%s?%s is not described", route->path, route->parameters[k].name);
            same_schema(&route->parameters[k], resolve(child(p, "schema")));
        }
    }
}
END_TEST

static bool has_parameter(const struct route *route, const char *where, const char *name)
{
    char segment[64];
    snprintf(segment, sizeof segment, "{%.50s}", name);
    if (strcmp(where, "path") == 0)
        return strstr(route->path, segment) != NULL;
    for (size_t i = 0; i < route->parameter_count; i++)
        if (strcmp(route->parameters[i].name, name) == 0)
            return true;
    return false;
}

static const struct route *route_at(const char *path)
{
    for (size_t i = 0; i < v1_router.count; i++)
        if (strcmp(v1_router.routes[i].path, path) == 0)
            return &v1_router.routes[i];
    return NULL;
}

START_TEST(nothing_is_described_that_is_not_there)
{
    const struct yaml_node *paths = child(document, "paths");
    for (size_t i = 0; i < paths->count; i++) {
        const struct route *route = route_at(paths->children[i].key);
        ck_assert_msg(route != NULL, "%s is described and not there", paths->children[i].key);
        const struct yaml_node *list = yaml_child(child(&paths->children[i], "get"), "parameters");
        for (size_t k = 0; list && k < list->count; k++) {
            const struct yaml_node *p = resolve(&list->children[k]);
            const char *name = child(p, "name")->value;
            ck_assert_msg(has_parameter(route, child(p, "in")->value, name), "%s has no %s", route->path, name);
        }
    }
}
END_TEST

START_TEST(every_segment_of_a_path_is_described)
{
    for (size_t i = 0; i < v1_router.count; i++) {
        const struct route *route = &v1_router.routes[i];
        for (const char *at = strchr(route->path, '{'); at; at = strchr(at + 1, '{')) {
            char name[64];
            text_copy((struct text){at + 1, strcspn(at + 1, "}")}, name, sizeof name);
            const struct yaml_node *p = described(operation_of(route), "path", name);
            ck_assert_msg(p && strcmp(child(p, "required")->value, "true") == 0, "%s: {%s}", route->path, name);
        }
    }
}
END_TEST

/* A document whose references lead nowhere is of no use to a generator. */
static void follow_references(const struct yaml_node *n)
{
    if (n->key && strcmp(n->key, "$ref") == 0) {
        ck_assert_int_eq(strncmp(n->value, "#/", 2), 0);
        struct yaml_node holder = {.kind = YAML_MAP, .children = (struct yaml_node *)n, .count = 1};
        resolve(&holder);
    }
    for (size_t i = 0; i < n->count; i++)
        follow_references(&n->children[i]);
}

START_TEST(every_reference_leads_somewhere)
{
    follow_references(document);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("openapi");
    TCase *t = tcase_create("openapi");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_route_and_parameter_is_described);
    tcase_add_test(t, nothing_is_described_that_is_not_there);
    tcase_add_test(t, every_segment_of_a_path_is_described);
    tcase_add_test(t, every_reference_leads_somewhere);
    suite_add_tcase(s, t);
    return test_run(s);
}
