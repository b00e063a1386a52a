/* What ThreadSanitizer is told in programs that use libvirt: it and GLib below it lock by futexes that the sanitizer
 * does not see. Our own code is watched, but inside libvirt's callbacks it is not. */
const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libglib-2.0.so.0\n"
           "called_from_lib:libvirt.so.0\n"
           "race:libglib-2.0.so.0\n"
           "race:libvirt.so.0\n";
}
