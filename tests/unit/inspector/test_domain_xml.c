/* What is read out of a domain's XML, on documents as libvirt 9 writes them. */
#include "pollers/domain_xml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"

#define NOVA_1_1                                                                                                       \
    "<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'>"                               \
    "<nova:package version='27.0.0'/><nova:name>web &amp; mail</nova:name>"                                            \
    "<nova:creationTime>2026-01-01 00:00:00</nova:creationTime>"                                                       \
    "<nova:flavor name='m1.small' id='f-1'><nova:memory>2048</nova:memory><nova:disk>20</nova:disk>"                   \
    "<nova:swap>512</nova:swap><nova:ephemeral>5</nova:ephemeral><nova:vcpus>2</nova:vcpus></nova:flavor>"             \
    "<nova:owner><nova:user uuid='u-1'>alice</nova:user><nova:project uuid='p-1'>blue</nova:project></nova:owner>"     \
    "<nova:root type='image' uuid='i-1'/>"                                                                             \
    "<nova:ports><nova:port uuid='11111111-2222-3333-4444-555555555555'><nova:ip type='fixed' address='10.0.0.2'/>"    \
    "</nova:port></nova:ports></nova:instance>"                                                                        \
    "<app:vm xmlns:app='urn:app'><app:tenant>\n  green </app:tenant></app:vm></metadata>"

#define NOVA_1_0                                                                                                       \
    "<metadata><instance xmlns='http://openstack.org/xmlns/libvirt/nova/1.0'><name>old</name>"                         \
    "<flavor name='m1.tiny'><memory>512</memory><disk>1</disk><swap>0</swap><ephemeral>0</ephemeral><vcpus>1</vcpus>"  \
    "</flavor><owner><user uuid='u-2'>bob</user><project uuid='p-2'>red</project></owner>"                             \
    "<root type='volume' uuid='v-1'/></instance></metadata>"

#define DEVICES                                                                                                        \
    "<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"                                      \
    "<source file='/d/top.qcow2' index='7'/><backingStore type='file' index='3'><format type='qcow2'/>"                \
    "<source file='/d/mid.qcow2'/><backingStore type='file' index='1'><source file='/d/base'/><backingStore/>"         \
    "</backingStore></backingStore><target dev='vda' bus='virtio'/><serial>vol-1</serial><alias "                      \
    "name='virtio-disk0'/></disk>"                                                                                     \
    "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>"                                           \
    "<disk type='network' device='disk'><source protocol='rbd' name='pool/image' index='2'/><target "                  \
    "dev='vdb'/></disk>"                                                                                               \
    "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/>"                                \
    "<target dev='tap11111111-22'/></interface>"                                                                       \
    "<interface type='bridge'><mac address='52:54:00:00:00:02'/><source bridge='br-int'/>"                             \
    "<virtualport type='openvswitch'><parameters interfaceid='port-2'/></virtualport><target "                         \
    "dev='vnet1'/></interface>"                                                                                        \
    "<interface type='hostdev'><mac address='52:54:00:00:00:03'/></interface>"                                         \
    "<hostdev mode='subsystem' type='pci'><source><address domain='0x0000' bus='0x06' slot='0x10' function='0x1'/>"    \
    "</source></hostdev>"                                                                                              \
    "<hostdev mode='subsystem' type='pci'><source><address domain='0x0000' bus='0x07' slot='0x00' function='0x0'/>"    \
    "</source></hostdev>"                                                                                              \
    "<hostdev mode='subsystem' type='mdev' model='vfio-pci'/><hostdev mode='subsystem' type='usb'/></devices>"

#define DOMAIN(metadata, devices)                                                                                      \
    "<domain type='kvm' id='3'><name>instance-1</name><uuid>0e1d5b1c-0000-4000-8000-000000000001</uuid>" metadata      \
    "<memory unit='KiB'>2097152</memory><currentMemory unit='KiB'>1048576</currentMemory>"                             \
    "<vcpu placement='static' current='2'>4</vcpu><os><type arch='x86_64' machine='pc'>hvm</type></os>" devices        \
    "</domain>"

static bool seventh_bus_is_gpu(void *context, const char *address)
{
    (void)context;
    return strcmp(address, "0000:07:00.0") == 0;
}

static struct domain_meta *read_good(const char *xml)
{
    struct domain_meta *m = NULL;
    struct error error = {0};
    unsigned refused = 0;
    struct domain_xml_settings settings = {
        .mapping_namespace = "urn:app", .mapping_element = "tenant", .is_gpu = seventh_bus_is_gpu};
    ck_assert_msg(domain_xml_read(&m, text_of(xml), &settings, &refused, &error) == 0, "%s", error.text);
    ck_assert_uint_eq(refused, 0);
    return m;
}

START_TEST(owner_and_flavor_come_from_novas_element)
{
    struct domain_meta *m = read_good(DOMAIN(NOVA_1_1, ""));
    ck_assert(m->has_nova);
    ck_assert_str_eq(m->display_name, "web & mail");
    ck_assert_str_eq(m->flavor, "m1.small");
    ck_assert_str_eq(m->flavor_id, "f-1");
    ck_assert_str_eq(m->project, "p-1");
    ck_assert_str_eq(m->project_name, "blue");
    ck_assert_str_eq(m->user, "u-1");
    ck_assert_str_eq(m->user_name, "alice");
    ck_assert_str_eq(m->image, "i-1");
    ck_assert_int_eq(m->flavor_vcpus, 2);
    ck_assert_int_eq(m->flavor_ram_mib, 2048);
    ck_assert_int_eq(m->flavor_disk_gib, 20);
    ck_assert_int_eq(m->flavor_ephemeral_gib, 5);
    ck_assert_int_eq(m->flavor_swap_mib, 512);
    domain_meta_free(m);
}
END_TEST

START_TEST(the_older_namespace_is_read_too_and_a_volume_is_no_image)
{
    struct domain_meta *m = read_good(DOMAIN(NOVA_1_0, ""));
    ck_assert_str_eq(m->project, "p-2");
    ck_assert_str_eq(m->flavor, "m1.tiny");
    ck_assert_ptr_null(m->flavor_id);
    ck_assert_ptr_null(m->image);
    ck_assert_int_eq(m->flavor_swap_mib, 0);
    domain_meta_free(m);
}
END_TEST

START_TEST(a_domain_without_nova_has_its_mapped_project_or_none)
{
    struct domain_meta *m = read_good(DOMAIN("<metadata><a:tenant xmlns:a='urn:app'>p-9</a:tenant></metadata>", ""));
    ck_assert(!m->has_nova);
    ck_assert_ptr_null(m->project);
    ck_assert_int_eq(m->flavor_vcpus, -1);
    ck_assert_str_eq(m->mapped_project, "p-9");
    domain_meta_free(m);
    m = read_good(DOMAIN("<metadata><a:tenant xmlns:a='urn:other'>p-9</a:tenant></metadata>", ""));
    ck_assert_ptr_null(m->mapped_project);
    domain_meta_free(m);
}
END_TEST

START_TEST(the_mapping_element_is_found_at_any_depth_and_trimmed)
{
    struct domain_meta *m = read_good(DOMAIN(NOVA_1_1, ""));
    ck_assert_str_eq(m->mapped_project, "green");
    domain_meta_free(m);
}
END_TEST

START_TEST(sizes_are_those_of_now)
{
    struct domain_meta *m = read_good(DOMAIN("", ""));
    ck_assert_uint_eq(m->max_memory_kib, 2097152);
    ck_assert_uint_eq(m->vcpus, 2);
    ck_assert_str_eq(m->os_type, "hvm");
    ck_assert_str_eq(m->architecture, "x86_64");
    domain_meta_free(m);
}
END_TEST

START_TEST(disks_carry_serial_source_and_chain_top_first)
{
    struct domain_meta *m = read_good(DOMAIN("", DEVICES));
    ck_assert_uint_eq(m->disk_count, 3);
    const struct domain_disk *d = &m->disks[0];
    ck_assert_str_eq(d->target, "vda");
    ck_assert_str_eq(d->serial, "vol-1");
    ck_assert_str_eq(d->alias, "virtio-disk0");
    ck_assert_str_eq(d->source, "/d/top.qcow2");
    ck_assert_uint_eq(d->chain_count, 3);
    ck_assert_int_eq(d->chain[0], 7);
    ck_assert_int_eq(d->chain[1], 3);
    ck_assert_int_eq(d->chain[2], 1);
    ck_assert_ptr_null(m->disks[1].source);
    ck_assert_uint_eq(m->disks[1].chain_count, 0);
    ck_assert_str_eq(m->disks[2].source, "pool/image");
    ck_assert_int_eq(m->disks[2].chain[0], 2);
    domain_meta_free(m);
}
END_TEST

START_TEST(interfaces_carry_bridge_and_neutrons_port)
{
    struct domain_meta *m = read_good(DOMAIN(NOVA_1_1, DEVICES));
    ck_assert_uint_eq(m->nic_count, 3);
    ck_assert_str_eq(m->nics[0].mac, "52:54:00:00:00:01");
    ck_assert_str_eq(m->nics[0].target, "tap11111111-22");
    ck_assert_str_eq(m->nics[0].source, "br0");
    ck_assert_str_eq(m->nics[0].port, "11111111-2222-3333-4444-555555555555");
    ck_assert(m->nics[0].countable);
    ck_assert_str_eq(m->nics[1].port, "port-2");
    ck_assert(!m->nics[2].countable);
    ck_assert_ptr_null(m->nics[2].target);
    domain_meta_free(m);
}
END_TEST

START_TEST(vhost_user_devices_are_uncounted_but_where_a_switch_counts)
{
    struct domain_meta *m = read_good(DOMAIN(
        "",
        "<devices><disk type='vhostuser' device='disk'><source type='unix' path='/s'/><target dev='vda'/></disk>"
        "<disk type='block'><source dev='/b'/><target dev='vdb'/></disk>"
        "<interface type='vhostuser'><mac address='52:54:00:00:00:01'/></interface>"
        "<interface type='vhostuser'><mac address='52:54:00:00:00:02'/><target dev='vhu2'/></interface></devices>"));
    ck_assert(m->disks[0].uncounted);
    ck_assert(!m->disks[1].uncounted);
    ck_assert(!m->nics[0].countable);
    ck_assert(m->nics[1].countable);
    domain_meta_free(m);
}
END_TEST

START_TEST(host_devices_are_counted_by_what_they_are)
{
    struct domain_meta *m = read_good(DOMAIN("", DEVICES));
    ck_assert_uint_eq(m->gpu, 1);
    ck_assert_uint_eq(m->pci, 1);
    ck_assert_uint_eq(m->vgpu, 1);
    domain_meta_free(m);
}
END_TEST

static const char *const bad[] = {
    "",
    "<domain",
    "<network/>",
    "<!DOCTYPE domain [<!ENTITY a 'aaaa'>]><domain><name>&a;</name></domain>",
    "<!DOCTYPE domain SYSTEM 'file:///etc/passwd'><domain/>",
    "<domain>&undefined;</domain>",
};

START_TEST(what_is_no_domain_or_brings_a_dtd_is_refused_with_a_reason)
{
    struct domain_meta *m = NULL;
    struct error error = {0};
    unsigned refused = 0;
    struct domain_xml_settings settings = {0};
    ck_assert_int_eq(domain_xml_read(&m, text_of(bad[_i]), &settings, &refused, &error), -EINVAL);
    ck_assert_ptr_null(m);
    ck_assert(error.text[0]);
}
END_TEST

START_TEST(a_document_beyond_the_limit_is_refused_unread)
{
    struct domain_meta *m = NULL;
    struct error error = {0};
    unsigned refused = 0;
    struct domain_xml_settings settings = {0};
    size_t size = 5 * 1024 * 1024;
    char *large = malloc(size);
    memset(large, ' ', size);
    ck_assert_int_eq(domain_xml_read(&m, (struct text){large, size}, &settings, &refused, &error), -EFBIG);
    free(large);
}
END_TEST

/* A chain of 20 images: the first 16 stay. */
START_TEST(a_chain_beyond_its_limit_is_cut_and_counted)
{
    struct buf xml = {0};
    struct domain_meta *m = NULL;
    unsigned refused = 0;
    struct domain_xml_settings settings = {0};
    buf_add_string(&xml, "<domain><devices><disk><source file='/t' index='100'/>");
    for (int i = 0; i < 19; i++)
        buf_addf(&xml, "<backingStore index='%d'>", 99 - i);
    for (int i = 0; i < 19; i++)
        buf_add_string(&xml, "</backingStore>");
    buf_add_string(&xml, "<target dev='vda'/></disk></devices></domain>");
    ck_assert_int_eq(domain_xml_read(&m, buf_text(&xml), &settings, &refused, NULL), 0);
    ck_assert_uint_eq(m->disks[0].chain_count, 16);
    ck_assert_int_eq(m->disks[0].chain[15], 85);
    ck_assert_uint_eq(refused, 4);
    domain_meta_free(m);
    buf_free(&xml);
}
END_TEST

START_TEST(a_text_beyond_its_limit_is_absent_not_cut)
{
    struct buf xml = {0};
    struct domain_meta *m = NULL;
    unsigned refused = 0;
    struct domain_xml_settings settings = {0};
    buf_add_string(&xml, "<domain><os><type>");
    for (int i = 0; i < 1025; i++)
        buf_add_char(&xml, 'x');
    buf_add_string(&xml, "</type></os></domain>");
    ck_assert_int_eq(domain_xml_read(&m, buf_text(&xml), &settings, &refused, NULL), 0);
    ck_assert_ptr_null(m->os_type);
    ck_assert_uint_eq(refused, 1);
    domain_meta_free(m);
    buf_free(&xml);
}
END_TEST

START_TEST(the_hosts_uuid_is_in_the_capabilities)
{
    char uuid[UUID_SIZE];
    ck_assert(capabilities_host_uuid(
        TEXT("<capabilities><host><uuid>0e1d5b1c-0000-4000-8000-0000000000ff</uuid></host></capabilities>"), uuid));
    ck_assert_str_eq(uuid, "0e1d5b1c-0000-4000-8000-0000000000ff");
    ck_assert(!capabilities_host_uuid(TEXT("<capabilities><host/></capabilities>"), uuid));
    ck_assert(!capabilities_host_uuid(TEXT("<capabilities><host><uuid>x</uuid></host></capabilities>"), uuid));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("domain_xml");
    TCase *c = tcase_create("domain_xml");
    tcase_add_test(c, owner_and_flavor_come_from_novas_element);
    tcase_add_test(c, the_older_namespace_is_read_too_and_a_volume_is_no_image);
    tcase_add_test(c, a_domain_without_nova_has_its_mapped_project_or_none);
    tcase_add_test(c, the_mapping_element_is_found_at_any_depth_and_trimmed);
    tcase_add_test(c, sizes_are_those_of_now);
    tcase_add_test(c, disks_carry_serial_source_and_chain_top_first);
    tcase_add_test(c, interfaces_carry_bridge_and_neutrons_port);
    tcase_add_test(c, vhost_user_devices_are_uncounted_but_where_a_switch_counts);
    tcase_add_test(c, host_devices_are_counted_by_what_they_are);
    tcase_add_loop_test(c, what_is_no_domain_or_brings_a_dtd_is_refused_with_a_reason, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(c, a_document_beyond_the_limit_is_refused_unread);
    tcase_add_test(c, a_chain_beyond_its_limit_is_cut_and_counted);
    tcase_add_test(c, a_text_beyond_its_limit_is_absent_not_cut);
    tcase_add_test(c, the_hosts_uuid_is_in_the_capabilities);
    suite_add_tcase(s, c);
    return test_run(s);
}
