"""The manifests: as Kubernetes has them, for pods without rights, with commands of ours, no secret in a file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sendpoll.core.target.target_file import load_target
from tests.ci.test_images import accepted

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
MOUNTED = "/etc/sendpoll/server.yaml"


def resources() -> Iterator[dict[str, Any]]:
    for name in KUSTOMIZATION["resources"]:
        yield from yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8"))


JOBS = {one["metadata"]["name"]: one for one in resources() if one["kind"] == "Job"}


def pod(job: str) -> dict[str, Any]:
    found: dict[str, Any] = JOBS[job]["spec"]["template"]["spec"]
    return found


def test_each_manifest_is_one_that_kubernetes_takes() -> None:
    files = [str(FOLDER / name) for name in KUSTOMIZATION["resources"]]
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", *files]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_file_is_part_of_the_kustomization() -> None:
    generated = [name for one in KUSTOMIZATION["configMapGenerator"] for name in one["files"]]
    named = {*KUSTOMIZATION["resources"], *generated, "kustomization.yaml"}
    assert {path.name for path in FOLDER.iterdir()} == named


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_makes_one_whole_of_it() -> None:
    command = ["kubectl", "kustomize", str(FOLDER)]
    made = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert made.returncode == 0, made.stderr
    whole = list(yaml.safe_load_all(made.stdout))
    (target,) = [one["metadata"]["name"] for one in whole if one["kind"] == "ConfigMap"]
    for one in whole:
        if one["kind"] == "Job":
            volumes = one["spec"]["template"]["spec"]["volumes"]
            assert target in [volume.get("configMap", {}).get("name") for volume in volumes]


@pytest.mark.parametrize("job", JOBS)
def test_a_pod_has_no_rights_that_it_does_not_need(job: str) -> None:
    spec = pod(job)
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert not spec["automountServiceAccountToken"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["envFrom"] == [{"secretRef": {"name": "sendpoll"}}]
    assert "env" not in container
    assert {"requests", "limits"} <= set(container["resources"])


@pytest.mark.parametrize("job", JOBS)
def test_a_pods_command_is_ours(job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDPOLL_CLUSTER_SECRET", "secret")
    words = [word.replace(MOUNTED, str(FOLDER / "server.yaml")) for word in pod(job)["containers"][0]["args"]]
    accepted(words)
    assert load_target(FOLDER / "server.yaml", {"SENDPOLL_TOKEN": "T"}).token == "T"


def test_workers_are_as_many_as_their_master_waits_for_and_find_it() -> None:
    master, worker = (pod(name)["containers"][0]["args"] for name in ("load-master", "load-worker"))
    assert f"--expect-workers={JOBS['load-worker']['spec']['parallelism']}" in master
    (service,) = [one for one in resources() if one["kind"] == "Service"]
    assert f"--master-host={service['metadata']['name']}" in worker
    ports = {one["containerPort"] for one in pod("load-master")["containers"][0]["ports"]}
    assert ports == {one["port"] for one in service["spec"]["ports"]}


@pytest.mark.parametrize("job", ["check", "plan", "load-master"])
def test_a_verdict_is_not_tried_again(job: str) -> None:
    assert JOBS[job]["spec"]["backoffLimit"] == 0
    assert pod(job)["restartPolicy"] == "Never"
