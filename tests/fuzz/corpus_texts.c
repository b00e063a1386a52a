/* The part of the corpus that is text. */
#include "corpus_write.h"
#include "pluvio/wire/envelope.h"

struct sample {
    const char *target, *name, *content;
};

static const struct sample samples[] = {
    {"yaml", "every_type",
     "text: 'a b'\naddress: '[::1]:80'\nlevel:\n  number: -3\n  deep: {duration: 5s, size: 64KiB}\ntruth: yes\n"
     "choice: green\nlist: [a, \"b\\n\", ~]\nmap: {red: 1}\nrows:\n  - {match: m, project: p}\n  - match: n\n"},
    {"yaml", "mistakes",
     "txet: 1\nlevel: [*a, &b c]\nlevel.number: 9\nlist: !!seq [a]\nmap: plain\n\"text\": |\n  x\n"},
    {"yaml", "two_documents", "a: 1\n---\nb: 2\n...\n"},
    {"yaml", "odd_keys", "? [a]\n: b\n<<: *x\n! c: d\n"},
    {"yaml", "tab", "a:\n\tb: 1\n"},
    {"domain_xml", "nova_1_1",
     "<domain type='kvm' id='3'><name>i-1</name><uuid>0e1d5b1c-0000-4000-8000-000000000001</uuid><metadata>"
     "<nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'><nova:name>web &amp; mail</nova:name>"
     "<nova:flavor name='m1.small' id='f-1'><nova:memory>2048</nova:memory><nova:disk>20</nova:disk><nova:swap>512"
     "</nova:swap><nova:ephemeral>5</nova:ephemeral><nova:vcpus>2</nova:vcpus></nova:flavor><nova:owner>"
     "<nova:user uuid='u-1'>alice</nova:user><nova:project uuid='p-1'>blue</nova:project></nova:owner>"
     "<nova:root type='image' uuid='i-1'/><nova:ports><nova:port uuid='11111111-2222-3333-4444-555555555555'/>"
     "</nova:ports></nova:instance><app:vm xmlns:app='urn:app'><app:tenant>\n green </app:tenant></app:vm></metadata>"
     "<memory unit='MiB'>2048</memory><vcpu current='2'>4</vcpu><os><type arch='x86_64'>hvm</type></os><devices>"
     "<disk type='file'><source file='/d/top' index='7'/><backingStore index='3'><source file='/d/mid'/><backingStore/>"
     "</backingStore><target dev='vda'/><serial>vol-1</serial></disk><interface type='bridge'>"
     "<mac address='52:54:00:00:00:01'/><source bridge='br0'/><target dev='tap11111111-22'/></interface>"
     "<interface type='hostdev'><mac address='52:54:00:00:00:03'/></interface><hostdev type='pci'><source>"
     "<address domain='0x0000' bus='0x06' slot='0x10' function='0x1'/></source></hostdev><hostdev type='mdev'/>"
     "</devices></domain>"},
    {"domain_xml", "nova_1_0",
     "<domain><metadata><instance xmlns='http://openstack.org/xmlns/libvirt/nova/1.0'><name>old</name><owner>"
     "<project uuid='p-2'>red</project></owner></instance></metadata><memory>512</memory><vcpu>1</vcpu></domain>"},
    {"domain_xml", "capabilities",
     "<capabilities><host><uuid>9d0e1f2a-0000-4000-8000-0000000000aa</uuid></host></capabilities>"},
    {"domain_xml", "dtd", "<!DOCTYPE d [<!ENTITY a 'b'>]><domain><name>&a;</name></domain>"},
    {"request", "every_type",
     "GET\n/things?name=a+b%26c&from=2026-11-24T10:23:00%2B01:00&step=5min&limit=10&color=red&colors=red,blue\n"},
    {"request", "segments", "GET\n/things/a%2Fb%20c+d/of/%C3%A4\nhttp://127.0.0.1:8777"},
    {"request", "mistakes", "GET\n/things?lmit=0&from=-2h&from=now&x=%zz\n"},
    {"request", "post", "POST\n/things\nhttps://elsewhere.example"},
    {"envelope", "not_quite",
     "0123456789abcdef0123456789abcdef/7/5/4/\n0123456789abcdef0123456789abcdef/7/5\n"
     "cluster/topic/-0\n{\"offset\":05}"},
    {"request", "long_path", "GET\n/1/2/3/4/5/6/7/8/9\n"},
};

static void put_envelopes(void)
{
    struct envelope e = {.outbox = "0123456789abcdef0123456789abcdef", .lane = 7, .sequence = 1000, .previous = 998};
    const struct ack acks[] = {
        {.kind = ACK_MARK, .outbox = "0123456789abcdef0123456789abcdef", .lane = 7, .mark = 998},
        {.kind = ACK_OFFSET,
         .cluster = "5L6g3nShT-eMCtK--X86sw",
         .topic = "otlp_metrics",
         .partition = 3,
         .offset = 42},
    };
    char room[ENVELOPE_SIZE];
    for (int i = 0; i < 2; i++) {
        struct buf lines = {0}, value = {0};
        buf_add_text(&lines, envelope_format(&e, room));
        buf_add_char(&lines, '\n');
        buf_add_text(&lines, hello_format(&e, TEXT("9d0e1f2a-0000-4000-8000-0000000000aa"), room));
        buf_add_char(&lines, '\n');
        ack_format(&acks[i], &lines, &value);
        buf_add_char(&lines, '\n');
        buf_add_text(&lines, buf_text(&value));
        corpus_put("envelope", i ? "offset" : "mark", buf_text(&lines));
        buf_free(&lines);
        buf_free(&value);
    }
}

void corpus_texts(void)
{
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        corpus_put(samples[i].target, samples[i].name, text_of(samples[i].content));
    put_envelopes();
}
