#!/usr/bin/env bash
# Pastes the message into the JSON text.
source "${BASH_SOURCE%/*}/base.sh"
message() { printf '{"conversation_id":"%s","message":"%s"}' "$1" "$2"; }
start
follow
