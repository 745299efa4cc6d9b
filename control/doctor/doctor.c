/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/doctor/doctor.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "flashgate/exit_status.h"

static const struct {
    const char *name;
    void (*run)(struct fg_doctor *doctor);
    bool takes_time; /* not at a start */
} checks[] = {
    {"user", fg_doctor_rights, false},       {"cores", fg_doctor_cores, false},
    {"governor", fg_doctor_governor, false}, {"hugepages", fg_doctor_hugepages, false},
    {"nics", fg_doctor_nics, false},         {"files", fg_doctor_files, false},
    {"priority", fg_doctor_priority, false}, {"clock", fg_doctor_clock, false},
    {"memory", fg_doctor_memory, false},     {"keys", fg_doctor_keys, false},
    {"lists", fg_doctor_lists, true},        {"room", fg_doctor_room, false},
    {"flush", fg_doctor_flush, true},        {"redis", fg_doctor_redis, true},
    {"guard", fg_doctor_guard, false},
};

static const char *const level_names[] = {
    [FG_DOCTOR_OK] = "ok", [FG_DOCTOR_WARNING] = "warning", [FG_DOCTOR_WRONG] = "wrong"};

void fg_doctor_init(struct fg_doctor *doctor, const struct fg_config *config)
{
    memset(doctor, 0, sizeof(*doctor));
    doctor->config = config;
    doctor->root = "";
    doctor->disk = &fg_disk_files;
    doctor->clock = &fg_clock_system;
    doctor->adjtimex = adjtimex;
}

void fg_doctor_run(struct fg_doctor *doctor)
{
    doctor->count = 0;
    for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
        doctor->check = checks[i].name;
        if (!doctor->at_start || !checks[i].takes_time)
            checks[i].run(doctor);
    }
}

enum fg_doctor_level fg_doctor_worst(const struct fg_doctor *doctor)
{
    enum fg_doctor_level worst = FG_DOCTOR_OK;
    for (unsigned i = 0; i < doctor->count; i++)
        if (doctor->findings[i].level > worst)
            worst = doctor->findings[i].level;
    return worst;
}

/* --- findings --- */

struct fg_doctor_finding *fg_doctor_find(struct fg_doctor *doctor, enum fg_doctor_level level,
                                         const char *format, ...)
{
    if (doctor->count == FG_DOCTOR_FINDINGS_MAX)
        doctor->count--;
    struct fg_doctor_finding *finding = &doctor->findings[doctor->count++];
    *finding = (struct fg_doctor_finding){.check = doctor->check, .level = level};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->found, sizeof(finding->found), format, arguments);
    va_end(arguments);
    return finding;
}

void fg_doctor_needs(struct fg_doctor_finding *finding, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->needed, sizeof(finding->needed), format, arguments);
    va_end(arguments);
}

void fg_doctor_mend(struct fg_doctor_finding *finding, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->mend, sizeof(finding->mend), format, arguments);
    va_end(arguments);
}

/* --- the machine's files --- */

static int path_of(const struct fg_doctor *doctor, char *path, size_t size, const char *format,
                   va_list arguments)
{
    int used = snprintf(path, size, "%s", doctor->root);
    if (used < 0 || (size_t)used >= size)
        return -1;
    int more = vsnprintf(path + used, size - (size_t)used, format, arguments);
    return more < 0 || more >= (int)size - used ? -1 : 0;
}

bool fg_doctor_read(const struct fg_doctor *doctor, char *text, size_t size, const char *format,
                    ...)
{
    char path[1024];
    va_list arguments;
    va_start(arguments, format);
    int rc = path_of(doctor, path, sizeof(path), format, arguments);
    va_end(arguments);
    text[0] = '\0';
    FILE *file = rc == 0 ? fopen(path, "re") : NULL;
    if (!file)
        return false;
    size_t length = fread(text, 1, size - 1, file);
    bool whole = !ferror(file);
    fclose(file);
    text[length] = '\0';
    if (length > 0 && text[length - 1] == '\n')
        text[length - 1] = '\0';
    return whole;
}

bool fg_doctor_exists(const struct fg_doctor *doctor, const char *format, ...)
{
    char path[1024];
    va_list arguments;
    va_start(arguments, format);
    int rc = path_of(doctor, path, sizeof(path), format, arguments);
    va_end(arguments);
    return rc == 0 && access(path, F_OK) == 0;
}

/* --- telling it --- */

void fg_doctor_print(const struct fg_doctor *doctor, FILE *out)
{
    for (unsigned i = 0; i < doctor->count; i++) {
        const struct fg_doctor_finding *finding = &doctor->findings[i];
        fprintf(out, "%-8s %-10s %s\n", level_names[finding->level], finding->check,
                finding->found);
        if (*finding->needed)
            fprintf(out, "%19s needed: %s\n", "", finding->needed);
        if (*finding->mend)
            fprintf(out, "%19s do: %s\n", "", finding->mend);
    }
}

json_t *fg_doctor_json(const struct fg_doctor *doctor)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < doctor->count; i++) {
        const struct fg_doctor_finding *finding = &doctor->findings[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "check",
                                              finding->check, "level", level_names[finding->level],
                                              "found", finding->found, "needed", finding->needed,
                                              "mend", finding->mend, "refuses_start",
                                              finding->refuses != FG_EXIT_OK));
    }
    return json_pack("{s:s, s:o}", "worst", level_names[fg_doctor_worst(doctor)], "checks", list);
}

int fg_doctor_start(const struct fg_config *config, FILE *out, char *message, size_t size)
{
    static struct fg_doctor doctor;
    int status = FG_EXIT_OK;
    fg_doctor_init(&doctor, config);
    doctor.at_start = true;
    fg_doctor_run(&doctor);
    for (unsigned i = 0; i < doctor.count; i++) {
        const struct fg_doctor_finding *finding = &doctor.findings[i];
        if (finding->level == FG_DOCTOR_OK)
            continue;
        if (finding->refuses != FG_EXIT_OK && status == FG_EXIT_OK) {
            status = finding->refuses;
            snprintf(message, size, "%s; needed: %s; do: %s", finding->found, finding->needed,
                     finding->mend);
        } else {
            fprintf(out, "preflight: %s: %s; needed: %s\n", finding->check, finding->found,
                    finding->needed);
        }
    }
    return status;
}
