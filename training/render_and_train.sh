#!/usr/bin/env bash
# Renders what is missing of the 100,000 faces and trains both packaged networks, for a machine with many cores and a GPU:
#
#   bash training/render_and_train.sh ICT-FaceKit faces/ runs/
#
# Every step resumes: run it again after it was stopped.
set -euo pipefail
rig=$1 faces=$2 runs=$3

edgeau-synth "$rig" --out "$faces" --count 100000 --val-count 2000 --test-count 4000 --seed 2027 --workers "$(nproc)"

train() { # recipe, folder, weights to start from
  if [ -e "$runs/$2/state.pt" ]; then set -- "$1" "$2" --resume; else set -- "$1" "$2" --pretrained "$3"; fi
  edgeau-train "$1" --data "$faces" --out "$runs/$2" "${@:3}"
}

mkdir -p "$runs"
train mrpnet-synthetic-two-views default weights/mrpnet-default.fp16.safetensors
train mrpnet-slim-synthetic-two-views light weights/light.fp16.safetensors
