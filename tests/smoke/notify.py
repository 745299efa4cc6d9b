# SPDX-License-Identifier: BSD-3-Clause
"""A service manager's ear: notify.py SOCKET writes every line it hears, until it is ended."""
import socket
import sys

ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.bind(sys.argv[1])
print('listening', flush=True)
while True:
    print(ear.recv(4096).decode(), flush=True)
