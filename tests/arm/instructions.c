/* Counts the instructions that an emulated program executes; a plugin for qemu (its option -plugin).
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

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
typedef void (*block_translated)(plugin_id, struct qemu_plugin_tb *);
typedef void (*block_executed)(unsigned int cpu, void *data);
typedef void (*guest_exited)(plugin_id, void *data);

extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, block_translated);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, block_executed, int registers, void *data);
extern void qemu_plugin_register_atexit_cb(plugin_id, guest_exited, void *data);

__attribute__((visibility("default"))) int qemu_plugin_version = API_VERSION;

static uint64_t executed;

static void on_execution(unsigned int cpu, void *data)
{
    (void)cpu;
    executed += (uintptr_t)data;
}

static void on_translation(plugin_id id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_execution, 0, (void *)(uintptr_t)qemu_plugin_tb_n_insns(block));
}

static void on_exit_write(plugin_id id, void *data)
{
    const char *place = getenv("INSTRUCTION_COUNT_FILE");
    FILE *file = place ? fopen(place, "w") : NULL;
    (void)id;
    (void)data;
    if (file) {
        fprintf(file, "%" PRIu64 "\n", executed);
        fclose(file);
    }
}

__attribute__((visibility("default"))) int
qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    (void)argc;
    (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, on_exit_write, NULL);
    return 0;
}
