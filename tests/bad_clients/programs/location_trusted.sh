#!/usr/bin/env bash
# Follows redirects, and trusts wherever they lead.
source "${BASH_SOURCE%/*}/base.sh"
flags=(--location-trusted)
start
follow
