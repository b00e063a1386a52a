#include "discovery.h"

#include <fnmatch.h>

#include "lifecycle.h"

static const char *by_name(const struct discovery *discovery, const char *name)
{
    for (size_t i = 0; name && i < discovery->count; i++)
        if (fnmatch(discovery->rules[i].name, name, 0) == 0)
            return discovery->rules[i].project;
    return NULL;
}

static const char *project_of(const struct discovery *discovery, const struct domain_stats *d)
{
    const char *const words[] = {d->meta->project, d->meta->mapped_project, by_name(discovery, d->name),
                                 discovery->default_project};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i] && words[i][0])
            return words[i];
    return PROJECT_UNASSIGNED;
}

void discovery_owner(const struct discovery *discovery, const struct domain_stats *d, struct owner *ret)
{
    *ret = (struct owner){.state = lifecycle_state(d->state)};
    text_copy(text_of(project_of(discovery, d)), ret->project, sizeof ret->project);
    text_copy(text_of(d->meta->user), ret->user, sizeof ret->user);
    text_copy(text_of(d->meta->flavor), ret->flavor, sizeof ret->flavor);
}
