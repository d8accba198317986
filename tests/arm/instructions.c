/* Counts the instructions that an emulated program executes; a plugin for qemu (its option -plugin).
 *
 * Whenever the guest closes the file descriptor 987654, which it never opened, the count so far is added as a line to the
 * file that the environment variable INSTRUCTION_COUNT_FILE names.
 *
 * The functions of qemu's plugin interface that are used, as its documentation gives them (docs/devel/tcg-plugins), are
 * declared here, so that no header has to be installed. API_VERSION is 1 up to qemu 8, 2 from qemu 9 on. One thread
 * of the guest is counted rightly; several at a time may lose counts.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CLOSE_ON_AARCH64 57
#define MARK 987654

typedef uint64_t plugin_id;
struct qemu_plugin_tb;

extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_syscall_cb(plugin_id, void (*)(plugin_id, unsigned int, int64_t, uint64_t,
    uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t));
#if API_VERSION < 2
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int add, void *count, uint64_t amount);
#else
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned int, void *), int, void *);
#endif

__attribute__((visibility("default"))) int qemu_plugin_version = API_VERSION;

static uint64_t executed;

#if API_VERSION >= 2
static void on_execution(unsigned int cpu, void *amount)
{
    (void)cpu;
    executed += (uintptr_t)amount;
}
#endif

static void on_translation(plugin_id id, struct qemu_plugin_tb *block)
{
    size_t amount = qemu_plugin_tb_n_insns(block);
    (void)id;
#if API_VERSION < 2
    qemu_plugin_register_vcpu_tb_exec_inline(block, 0, &executed, amount);
#else
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_execution, 0, (void *)(uintptr_t)amount);
#endif
}

static void on_system_call(plugin_id id, unsigned int cpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3,
    uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
    const char *place = getenv("INSTRUCTION_COUNT_FILE");
    FILE *file;
    (void)id, (void)cpu, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    if (number != CLOSE_ON_AARCH64 || a1 != MARK || place == NULL || (file = fopen(place, "a")) == NULL)
        return;
    fprintf(file, "%" PRIu64 "\n", executed);
    fclose(file);
}

__attribute__((visibility("default"))) int
qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info, (void)argc, (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_vcpu_syscall_cb(id, on_system_call);
    return 0;
}
