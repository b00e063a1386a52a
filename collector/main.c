/* pluvio-collector: reads its options, opens the collector, and waits until it is told to stop. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "collector_options.h"
#include "pluvio/base/daemon.h"
#include "pluvio/base/log.h"

#define CONFIG  "/etc/pluvio/pluvio-collector.yaml"
#define TICK_MS 1000

struct program {
    struct collector_options options;
    int argc;
    char **argv;
    const char *config;
    struct collector *collector;
    int signals, fatal;
};

static void setup_log(const struct collector_options *o)
{
    log_setup("pluvio-collector", (enum log_level)o->log_level, (enum log_format)o->log_format);
}

/* In a thread of the collector. */
static void give_up(void *context)
{
    const struct program *m = context;
    if (eventfd_write(m->fatal, 1))
        abort();
}

static void reload(struct program *m)
{
    struct buf mistakes = {0}, notes = {0};
    if (!m->config)
        log_warning("there is no configuration file to be read again");
    else if (schema_reload_line(&collector_schema, NULL, m->argc, m->argv, m->config, sizeof m->options, &m->options,
                                &mistakes, &notes) == 0)
        log_info("%s was read again", m->config);
    setup_log(&m->options);
    log_lines(LOG_LEVEL_ERROR, &mistakes);
    log_lines(LOG_LEVEL_WARNING, &notes);
}

/* Until a signal to stop (0), or there is no going on (1). */
static int wait_for_the_end(struct program *m)
{
    struct pollfd fds[] = {{.fd = m->signals, .events = POLLIN}, {.fd = m->fatal, .events = POLLIN}};
    for (;;) {
        poll(fds, 2, TICK_MS);
        if (fds[1].revents)
            return EXIT_FAILURE;
        enum daemon_signal s = daemon_signal_next(m->signals);
        if (s == DAEMON_STOP)
            return EXIT_SUCCESS;
        if (s == DAEMON_RELOAD)
            reload(m);
        collector_tick(m->collector);
    }
}

static int run(struct program *m, const struct collector_settings *settings)
{
    struct error error = {0};
    if (collector_open(&m->collector, settings, give_up, m, &error)) {
        log_error("%s", error.text);
        return EXIT_FAILURE;
    }
    log_info("version %s, state in %s, %s at %s, answering at port %d", PLUVIO_VERSION, settings->state,
             settings->kafka.bootstrap ? "brokers" : "embedded broker", collector_broker(m->collector),
             collector_port(m->collector));
    daemon_notify("READY=1");
    int status = wait_for_the_end(m);
    daemon_notify("STOPPING=1");
    collector_close(m->collector);
    return status;
}

static int start(struct program *m)
{
    struct collector_settings settings;
    struct kafka_property *properties;
    setup_log(&m->options);
    m->signals = daemon_signals();
    m->fatal = eventfd(0, EFD_CLOEXEC);
    if (m->signals < 0 || m->fatal < 0 || collector_choose(&m->options, &settings, &properties)) {
        log_error("no descriptors or memory to be had");
        return EXIT_FAILURE;
    }
    int status = run(m, &settings);
    free(properties);
    return status;
}

int main(int argc, char **argv)
{
    static struct program m;
    int status;
    m.argc = argc;
    m.argv = argv;
    if (schema_command_line(&collector_schema, NULL, argc, argv, CONFIG, &m.options, &m.config, &status) ==
        COMMAND_LINE_RUN)
        status = start(&m);
    schema_free(&collector_schema, &m.options);
    return status;
}
