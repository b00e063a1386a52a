/* Nova's element in a domain's metadata: who owns the VM and which flavor it has. Pure.
 *
 * Both namespaces that nova has written are read, .../nova/1.1 (with ports) and .../nova/1.0.
 */
#ifndef POLLERS_NOVA_XML_H
#define POLLERS_NOVA_XML_H

#include <stdbool.h>

#include "inspector.h"
#include "inspector_xml.h"

/* Fill the nova part of @meta (zeroed texts, numbers -1) from @metadata, the domain's <metadata>, NULL if it has none.
 * What nova does not say stays as it is. True: there is an <instance> of nova's. */
bool nova_xml_read(const struct xml_node *metadata, struct domain_meta *meta);

/* Neutron's port of the interface with the tap @target ("tap" and the id's first 11 characters), where nova lists its
 * ports. A heap copy; NULL: not listed. */
char *nova_xml_port(const struct xml_node *metadata, const char *target);

#endif
