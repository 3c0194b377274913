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
variables=() volumes=()
for name in PIP_CERT PIP_INDEX_URL PIP_EXTRA_INDEX_URL; do
  [ -z "${!name:-}" ] || variables+=(--env "$name=${!name}")
done
for path in /etc/xdg/pip /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
  [ ! -e "$path" ] || volumes+=(--volume "$path:$path:ro")
done
for target in toolkit server; do
  build build --quiet --isolation chroot "${volumes[@]}" "${variables[@]}" --unsetenv PIP_CERT \
    --build-arg BASE=localhost/sendpoll-base --file "$checkout/deploy/images/Dockerfile" \
    --target "$target" --tag "sendpoll-$target" "$checkout" >/dev/null
  container=$(build from "localhost/sendpoll-$target")
  cp -a --reflink=auto "$(build mount "$container")" "$storage/$target"
  build inspect --type image --format '{{json .OCIv1.Config}}' "localhost/sendpoll-$target" >"$storage/$target.json"
done
