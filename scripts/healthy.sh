#!/usr/bin/env bash
# Succeeds when the service on this port of this machine is ready; needs nothing but bash.   scripts/healthy.sh PORT
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET /readyz HTTP/1.1\r\nHost: localhost:%s\r\nConnection: close\r\n\r\n' "$1" >&3
read -r -t 5 _ status _ <&3
[ "$status" = 200 ]
