/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cli/cli.h"

int main(int argc, char **argv)
{
    return fg_cli_run(argc, argv, stdin, stdout, stderr);
}
