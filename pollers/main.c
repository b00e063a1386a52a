/* pluvio-poller: reads its options, opens the parts, and steps until it is told to stop. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host_claim.h"
#include "host_identity.h"
#include "inspector_libvirt.h"
#include "once.h"
#include "pluvio/base/daemon.h"
#include "pluvio/base/log.h"
#include "poller_options.h"

#define CONFIG    "/etc/pluvio/pluvio-poller.yaml"
#define ONCE_NS   (5 * NS_PER_S)
#define FINISH_MS 500

struct program {
    struct poller_options options;
    struct poller_choice choice;
    int argc;
    char **argv;
    const char *config;
    struct inspector *inspector;
    struct outbox *outbox;
    struct poller *poller;
    int signals, claim;
    char outbox_path[4096], textfile[4096];
};

static void setup_log(const struct poller_options *o)
{
    log_setup("pluvio-poller", (enum log_level)o->log_level, (enum log_format)o->log_format);
}

static int open_inspector(struct program *m, struct error *error)
{
    struct inspector_libvirt_settings settings = {.uri = m->options.libvirt,
                                                  .mapping_namespace = m->options.project_namespace,
                                                  .mapping_element = m->options.project_element};
    return inspector_libvirt_open(&m->inspector, &settings, error);
}

static int open_outbox(struct program *m, struct error *error)
{
    struct outbox_settings settings = {.path = m->outbox_path,
                                       .max_bytes = m->options.outbox_size,
                                       .keep_ms = m->options.outbox_keep_ms,
                                       .waiting_max_bytes = m->options.outbox_memory,
                                       .random = random_system()};
    struct buf notice = {0};
    int r = outbox_open(&m->outbox, &settings, &notice, error);
    log_lines(LOG_LEVEL_ERROR, &notice);
    return r;
}

/* What it held is in doubt, so is what is remembered here: the next start begins with nothing. */
static void set_outbox_aside(struct program *m, const struct error *why)
{
    struct buf notice = {0};
    poller_destroy(m->poller);
    outbox_set_aside(m->outbox, why->text, &notice);
    m->poller = NULL;
    m->outbox = NULL;
    log_lines(LOG_LEVEL_ERROR, &notice);
    log_error("ending: the service manager is to start the poller anew");
}

static int hold_host(void *context, const char *host_uuid, struct error *error)
{
    struct program *m = context;
    m->claim = host_claim(host_uuid, error);
    return m->claim < 0 ? m->claim : 0;
}

static int open_all(struct program *m, struct error *error)
{
    int folder = state_folder_hold(m->options.state, "poller", error);
    int r = folder < 0 ? folder : open_outbox(m, error);
    if (r == 0)
        r = open_inspector(m, error);
    if (r)
        return r;
    char boot_id[UUID_SIZE];
    struct poller_ports ports = {.clock = clock_system(),
                                 .random = random_system(),
                                 .inspector = m->inspector,
                                 .outbox = m->outbox,
                                 .boot_id = host_boot_id(boot_id) ? boot_id : NULL,
                                 .publisher = publisher_rdkafka_ports(&m->choice.kafka),
                                 .claim = hold_host,
                                 .context = m};
    return poller_create(&m->poller, &m->choice.poller, &ports, error);
}

static void close_all(struct program *m)
{
    poller_destroy(m->poller);
    if (m->inspector)
        m->inspector->destroy(m->inspector);
    outbox_close(m->outbox);
    poller_choice_free(&m->choice);
    schema_free(&poller_schema, &m->options);
}

/* Of what the file says now the poller takes what can be changed while it runs; brokers and folders stay. */
static void apply(struct program *m)
{
    struct poller_choice fresh;
    if (poller_choose(&m->options, &fresh)) { /* and the texts of the old choice went with the old options */
        log_error("out of memory for what was read again; ending: the service manager is to start the poller anew");
        exit(EXIT_FAILURE);
    }
    fresh.poller.textfile = m->textfile;
    struct poller_choice old = m->choice;
    m->choice = fresh;
    m->choice.poller.wanted = m->choice.wanted;
    m->choice.poller.every_ns = m->choice.every_ns;
    poller_configure(m->poller, &m->choice.poller);
    m->choice.kafka = old.kafka; /* open handles look here */
    free(m->choice.properties);
    m->choice.properties = old.properties;
    free(old.labels);
    free(old.rules);
}

static void reload(struct program *m)
{
    struct buf mistakes = {0}, notes = {0};
    if (!m->config) {
        log_warning("there is no configuration file to be read again");
        return;
    }
    if (schema_reload_line(&poller_schema, &poller_switches, m->argc, m->argv, m->config, sizeof m->options,
                           &m->options, &mistakes, &notes) == 0) {
        apply(m);
        setup_log(&m->options);
        log_info("%s was read again", m->config);
    }
    log_lines(LOG_LEVEL_ERROR, &mistakes);
    log_lines(LOG_LEVEL_WARNING, &notes);
}

/* Sleep until @wake_boot_ns, an answer of the inspector or a signal; true: stop. */
static bool rest(struct program *m, int64_t wake_boot_ns)
{
    int64_t wait_ms = (wake_boot_ns - clock_boot_ns(clock_system())) / NS_PER_MS + 1;
    wait_ms = wait_ms < 0 ? 0 : wait_ms > 60000 ? 60000 : wait_ms;
    struct pollfd fds[] = {{.fd = m->signals, .events = POLLIN},
                           {.fd = m->inspector->wake_fd(m->inspector), .events = POLLIN}};
    poll(fds, 2, (int)wait_ms);
    enum daemon_signal s = daemon_signal_next(m->signals);
    if (s == DAEMON_RELOAD)
        reload(m);
    return s == DAEMON_STOP;
}

static int run(struct program *m)
{
    struct error error = {0};
    int64_t wake;
    int r = open_all(m, &error);
    if (r == 0) {
        log_info("version %s, reading %s every %lld s, sending to %s", PLUVIO_VERSION, m->options.libvirt,
                 (long long)m->options.interval_ms / 1000, m->choice.kafka.bootstrap);
        daemon_notify("READY=1");
        while ((r = poller_step(m->poller, &wake, &error)) == 0 && !rest(m, wake))
            ;
        daemon_notify("STOPPING=1");
    }
    if (r == 0)
        poller_finish(m->poller, FINISH_MS);
    else if (r == -EUCLEAN && m->outbox)
        set_outbox_aside(m, &error);
    else
        log_error("%s", error.text);
    return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run_once(struct program *m)
{
    struct error error = {0};
    int r = open_inspector(m, &error);
    if (r == 0)
        r = once(m->inspector, &m->choice, m->options.explain, ONCE_NS, stdout, &error);
    if (r)
        fprintf(stderr, "pluvio-poller: %s\n", error.text);
    return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int start(struct program *m)
{
    setup_log(&m->options);
    snprintf(m->outbox_path, sizeof m->outbox_path, "%s/outbox.db", m->options.state);
    snprintf(m->textfile, sizeof m->textfile, "%s/pluvio-poller.prom", m->options.state);
    m->signals = daemon_signals();
    if (m->signals < 0 || poller_choose(&m->options, &m->choice)) {
        log_error("no descriptors or memory to be had");
        return EXIT_FAILURE;
    }
    m->choice.poller.textfile = m->textfile;
    return m->options.once ? run_once(m) : run(m);
}

int main(int argc, char **argv)
{
    static struct program m;
    int status;
    m.argc = argc;
    m.argv = argv;
    if (schema_command_line(&poller_schema, &poller_switches, argc, argv, CONFIG, &m.options, &m.config, &status) ==
        COMMAND_LINE_RUN)
        status = start(&m);
    close_all(&m);
    return status;
}
