/* SPDX-License-Identifier: BSD-3-Clause */
/* The completion script: fixed functions, and between them the tables of commands and options. */
#include <string.h>

#include "control/cli/table.h"
#include "control/manual.h"
#include "dataplane/orders/event.h"

/* How an argument or an option's value is completed, by what help calls it; others are not. */
static const struct {
    const char *argument, *how;
} ways[] = {
    {"FILE", "files"},  {"FILE[,FILE]", "files"}, {"PATH", "files"},
    {"DIR", "folders"}, {"FROM", "folders"},      {"TO", "folders"},
    {"SALE", "sales"},  {"NAME", "sales"},        {"KIND", "kinds"},
};

static const char head[] =
    "# SPDX-License-Identifier: BSD-3-Clause\n"
    "# bash completion of flashgatectl, made from its table of commands.\n"
    "\n"
    "# The live sales, asked of the engine; nothing is said when it does not answer.\n"
    "_flashgatectl_sales() {\n"
    "    local program=${COMP_WORDS[0]/#\\~/$HOME}\n"
    "    timeout 2 \"$program\" ${1:+--socket} ${1:+\"$1\"} --json sale list 2> /dev/null |\n"
    "        sed -n 's/^ *\"name\": \"\\([A-Za-z0-9._-]*\\)\".*/\\1/p'\n"
    "}\n"
    "\n"
    "# _flashgatectl_offer HOW WORD SOCKET: fills COMPREPLY.\n"
    "_flashgatectl_offer() {\n"
    "    case $1 in\n"
    "    files) mapfile -t COMPREPLY < <(compgen -f -- \"$2\"); compopt -o filenames 2> /dev/null "
    ";;\n"
    "    folders) mapfile -t COMPREPLY < <(compgen -d -- \"$2\"); compopt -o filenames 2> "
    "/dev/null ;;\n"
    "    sales) mapfile -t COMPREPLY < <(compgen -W \"$(_flashgatectl_sales \"$3\")\" -- \"$2\") "
    ";;\n"
    "    kinds) mapfile -t COMPREPLY < <(compgen -W \"$_flashgatectl_kinds\" -- \"$2\") ;;\n"
    "    esac\n"
    "}\n"
    "\n";

static const char tail[] =
    "_flashgatectl() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} options how socket='' i\n"
    "    local -a given=() ways=()\n"
    "    COMPREPLY=()\n"
    "    # The words before this one: options with their values are passed over.\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        case ${COMP_WORDS[i]} in\n"
    "        -*)\n"
    "            _flashgatectl_value \"${COMP_WORDS[i]}\" || continue\n"
    "            local name=${COMP_WORDS[i]}\n"
    "            [ \"${COMP_WORDS[i + 1]}\" != = ] || ((i++))\n"
    "            ((i++))\n"
    "            if ((i >= COMP_CWORD)); then\n"
    "                [ \"$word\" != = ] || word=\n"
    "                _flashgatectl_value \"$name\"\n"
    "                _flashgatectl_offer \"$how\" \"$word\" \"$socket\"\n"
    "                return\n"
    "            fi\n"
    "            case $name in -s | --socket) socket=${COMP_WORDS[i]/#\\~/$HOME} ;; esac\n"
    "            ;;\n"
    "        *) given+=(\"${COMP_WORDS[i]}\") ;;\n"
    "        esac\n"
    "    done\n"
    "    _flashgatectl_command \"${given[@]}\"\n"
    "    if [[ $word == -* ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
    "    elif [ ${#ways[@]} -gt 0 ]; then\n"
    "        _flashgatectl_offer \"${ways[0]}\" \"$word\" \"$socket\"\n"
    "    else\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$(_flashgatectl_words \"${given[@]}\")\" -- "
    "\"$word\")\n"
    "    fi\n"
    "}\n"
    "complete -F _flashgatectl flashgatectl\n";

static const char *way_of(const char *argument)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
        if (strcmp(ways[i].argument, argument) == 0)
            return ways[i].how;
    return "nothing";
}

static void kinds(FILE *out)
{
    fputs("_flashgatectl_kinds='", out);
#define X(name, code, meaning) fputs(#name " ", out);
    FG_ORDER_KINDS(X)
    FG_CONTROL_KINDS(X)
#undef X
    fputs("'\n\n", out);
}

static void option_values(FILE *out)
{
    fputs("# _flashgatectl_value OPTION: sets `how` its value is completed; false: it has none.\n"
          "_flashgatectl_value() {\n    case $1 in\n",
          out);
#define X(id, letter, name, argument, help)                                                        \
    if (*(argument)) {                                                                             \
        fputs("    --" name, out);                                                                 \
        if ((letter) != 0)                                                                         \
            fprintf(out, " | -%c", letter);                                                        \
        fprintf(out, ") how=%s ;;\n", way_of(argument));                                           \
    }
    FG_CLI_COMMON_OPTIONS(X)
    FG_CLI_OWN_OPTIONS(X)
#undef X
    fputs("    *) return 1 ;;\n    esac\n}\n\n", out);
}

static void option_names(FILE *out, uint64_t own)
{
    fputs("options='", out);
#define X(id, letter, name, argument, help)                                                        \
    if (own & FG_CLI_TAKES(id))                                                                    \
        fputs("--" name " ", out);
    FG_CLI_OWN_OPTIONS(X)
#undef X
#define X(id, letter, name, argument, help) fputs("--" name " ", out);
    FG_CLI_COMMON_OPTIONS(X)
#undef X
    fputc('\'', out);
}

static void commands(FILE *out)
{
    const struct fg_cli_command *command = NULL;

    fputs("# _flashgatectl_command WORD...: sets `options`, and `ways` of the arguments that are "
          "still wanted.\n"
          "_flashgatectl_command() {\n    case \"${1-} ${2-}\" in\n",
          out);
    while ((command = fg_cli_next(command))) {
        fprintf(out, "    \"%s %s\"%s)\n        ", command->words[0],
                command->words[1] ? command->words[1] : "", command->words[1] ? "" : "*");
        option_names(out, fg_cli_optional(command) | fg_cli_required(command));
        fputs("\n        ways=(", out);
        for (unsigned i = 0; i < fg_cli_arguments(command); i++)
            fprintf(out, i ? " %s" : "%s", way_of(command->arguments[i]));
        fprintf(out, ")\n        shift %u\n        ;;\n", fg_cli_words(command));
    }
    fputs("    *)\n        ", out);
    option_names(out, 0);
    fputs("\n        set --\n        ;;\n    esac\n"
          "    ways=(\"${ways[@]:$#}\")\n"
          "}\n\n",
          out);
}

/* The words that may come next, by those that are there. */
static void words(FILE *out)
{
    const struct fg_cli_command *command = NULL, *before = NULL;

    fputs("# _flashgatectl_words WORD...: the words of commands that may come next.\n"
          "_flashgatectl_words() {\n    case $# in\n    0) echo '",
          out);
    while ((command = fg_cli_next(command))) {
        if (!before || strcmp(before->words[0], command->words[0]) != 0)
            fprintf(out, "%s ", command->words[0]);
        before = command;
    }
    fputs("' ;;\n    1)\n        case $1 in\n", out);
    for (before = NULL; (command = fg_cli_next(command)); before = command) {
        bool begins = !before || strcmp(before->words[0], command->words[0]) != 0;
        const struct fg_cli_command *next = fg_cli_next(command);
        if (!command->words[1])
            continue;
        if (begins)
            fprintf(out, "        %s) echo '", command->words[0]);
        fprintf(out, "%s ", command->words[1]);
        if (!next || strcmp(next->words[0], command->words[0]) != 0)
            fputs("' ;;\n", out);
    }
    fputs("        esac\n        ;;\n    esac\n}\n\n", out);
}

void fg_completion_bash(FILE *out)
{
    fputs(head, out);
    kinds(out);
    option_values(out);
    commands(out);
    words(out);
    fputs(tail, out);
}
