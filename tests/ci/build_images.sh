#!/usr/bin/env bash
# Builds both images without a registry: on a base that is made of Debian's packages. Needs root, buildah and mmdebstrap.
#   build_images.sh CHECKOUT STORAGE    leaves the root of each image in STORAGE/toolkit and STORAGE/server
set -euo pipefail
checkout=$1 storage=$2
build() { buildah --root "$storage/images" --runroot "$storage/run" --storage-driver vfs "$@"; }

mkdir -p "$storage"
# Like python:slim, this has Python, pip's way into a venv, and certificates.
[ -s "$storage/base.tar" ] || mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates \
  "${SUITE:-trixie}" "$storage/base.tar" http://deb.debian.org/debian
base=$(build from scratch)
build add --quiet "$base" "$storage/base.tar" / >/dev/null
build commit --quiet "$base" sendpoll-base >/dev/null

# What pip is told on this machine, where it is told something.
volumes=()
for path in /etc/xdg/pip /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
  [ ! -e "$path" ] || volumes+=(--volume "$path:$path:ro")
done
for target in toolkit server; do
  build build --quiet --isolation chroot "${volumes[@]}" \
    --build-arg BASE=localhost/sendpoll-base --file "$checkout/deploy/images/Dockerfile" \
    --target "$target" --tag "sendpoll-$target" "$checkout" >/dev/null
  container=$(build from "localhost/sendpoll-$target")
  cp -a --reflink=auto "$(build mount "$container")" "$storage/$target"
  build inspect --type image "localhost/sendpoll-$target" >"$storage/$target.json"
done
