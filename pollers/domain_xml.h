/* A domain's XML, as far as metering needs it: owner, sizes, disks, interfaces, host devices. Pure, but for the
 * question what kind of PCI device an address is, which is the caller's to answer.
 */
#ifndef POLLERS_DOMAIN_XML_H
#define POLLERS_DOMAIN_XML_H

#include <stdbool.h>

#include "inspector.h"
#include "pluvio/base/buf.h"
#include "pluvio/base/error.h"

#define DOMAIN_DISKS_MAX 512
#define DOMAIN_NICS_MAX  512

struct domain_xml_settings {
    const char *mapping_namespace; /* see inspector_libvirt.h; both or none */
    const char *mapping_element;
    bool (*is_gpu)(void *context, const char *pci_address); /* "0000:06:00.0"; NULL: none is */
    void *context;
};

/* -EINVAL (not a domain's XML), -EFBIG, -ENOMEM. *ret_refused grows by what was over a limit and left out. */
int domain_xml_read(struct domain_meta **ret, struct text xml, const struct domain_xml_settings *settings,
                    unsigned *ret_refused, struct error *error) __attribute__((warn_unused_result));
void domain_meta_free(struct domain_meta *m); /* takes NULL */

/* <capabilities><host><uuid>, into @out. False: not there, or not a UUID. */
bool capabilities_host_uuid(struct text xml, char out[UUID_SIZE]);

#endif
