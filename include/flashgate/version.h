/* SPDX-License-Identifier: BSD-3-Clause */
/* The version that every binary tells. */
#ifndef FLASHGATE_VERSION_H
#define FLASHGATE_VERSION_H

#define FG_VERSION_TEXT "0.1.0"

#endif
