"""What kubectl makes of deploy/kubernetes, against the API's schemas and the rules of this project."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.support import check_words
from tests.docs.support import ROOT
from worker.cli.settings.resolve import resolve

KUBERNETES = ROOT / "deploy" / "kubernetes"
FOLDERS = ["nightly", "month-end", "fleet", "look", "overlays/example"]
OLDEST = "1.31"
Manifest = dict[str, Any]


@lru_cache
def rendered(folder: str) -> tuple[Manifest, ...]:
    """What ``kubectl apply -k`` would apply."""
    yaml = pytest.importorskip("yaml")
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    done = subprocess.run(
        [kubectl, "kustomize", str(KUBERNETES / folder)], capture_output=True, encoding="utf-8", timeout=60
    )
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def pods(folder: str) -> Iterator[tuple[str, Manifest, Manifest]]:
    """Each pod that comes of it: the name of what makes it, that one's spec, and the pod's."""
    for manifest in rendered(folder):
        spec = manifest.get("spec", {})
        if manifest["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if "containers" in spec:
            yield manifest["metadata"]["name"], spec, spec
        elif "template" in spec:
            yield manifest["metadata"]["name"], spec, spec["template"]["spec"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_it_fits_the_schemas_of_the_api(folder: str) -> None:
    """Those of the oldest Kubernetes that the page promises and of the newest, without an unknown field."""
    validate = pytest.importorskip("kubernetes_validate")
    manifests = rendered(folder)
    for manifest in manifests:
        if manifest["apiVersion"] != "keda.sh/v1alpha1":
            for version in (OLDEST, validate.latest_version()):
                validate.validate(manifest, version, strict=True)
    assert len(manifests) > 5
    assert f"Kubernetes {OLDEST} or newer" in (KUBERNETES / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_pod_can_do_more_than_it_needs(folder: str) -> None:
    """The Pod Security Standard "restricted", and more: no writable root, no token, a bound on memory."""
    (namespace,) = [each for each in rendered(folder) if each["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    found = list(pods(folder))
    for name, _, pod in found:
        outer = pod["securityContext"]
        assert outer["runAsNonRoot"], name
        assert outer["runAsUser"] > 0, name
        assert outer["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod), name
        assert {next(iter(set(volume) - {"name"})) for volume in pod.get("volumes", ())} <= {
            "configMap",
            "secret",
            "emptyDir",
            "persistentVolumeClaim",
        }
        for container in pod["containers"]:
            inner = container["securityContext"]
            assert inner["readOnlyRootFilesystem"], name
            assert inner["allowPrivilegeEscalation"] is False, name
            assert inner["capabilities"] == {"drop": ["ALL"]}, name
            assert "memory" in container["resources"]["limits"], name
            assert ":latest" not in container["image"], name
            assert ":" in container["image"].rpartition("/")[2], name
    assert found


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_a_pod_names_is_there(folder: str) -> None:
    """Settings, volumes, accounts; all but the Secret, which is in no file."""
    there = {(each["kind"], each["metadata"]["name"]) for each in rendered(folder)}
    for name, _, pod in pods(folder):
        if name != "valkey":
            assert ("ServiceAccount", pod["serviceAccountName"]) in there
        for volume in pod.get("volumes", ()):
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in there
            elif "persistentVolumeClaim" in volume:
                assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in there
            elif "secret" in volume:
                assert volume["secret"]["secretName"] == "energycap-api-key"
        for container in pod["containers"]:
            for variable in container.get("env", ()):
                reference = variable.get("valueFrom", {}).get("configMapKeyRef")
                assert reference is None or ("ConfigMap", reference["name"]) in there
    assert not [each for each in rendered(folder) if each["kind"] == "Secret"]
    assert {each["metadata"].get("namespace") for each in rendered(folder)} == {None, "batch-closer"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_commands_are_the_programs(folder: str) -> None:
    """Verbs and flags that the program has; each waits longer to be killed than the grace time."""
    found = [(name, pod) for name, _, pod in pods(folder) if name != "valkey"]
    for name, pod in found:
        (container,) = pod["containers"]
        assert container["name"] == "batch-closer", name
        (config,) = [each["value"] for each in container["env"] if each["name"] == "BATCH_CLOSER_CONFIG"]
        grace_s = resolve({}, {}, ROOT / "config" / Path(config).name).limits.grace_s
        assert pod["terminationGracePeriodSeconds"] >= grace_s + 30, name
        if "args" in container:
            check_words(container["args"])


@pytest.mark.parametrize("folder", ["nightly", "month-end"])
def test_a_job_is_tried_again_where_that_can_help_alone(folder: str) -> None:
    """A pod whose node went away is replaced and not counted; the program's own endings are final."""
    found = [(name, job, pod) for name, job, pod in pods(folder) if "podFailurePolicy" in job]
    for name, job, pod in found:
        ignored, final = job["podFailurePolicy"]["rules"]
        assert ignored["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
        assert (ignored["action"], final["action"]) == ("Ignore", "FailJob")
        assert final["onExitCodes"]["values"] == [1, 2, 3, 4, 5]
        assert pod["restartPolicy"] == "Never"
        args = pod["containers"][0]["args"]
        if args[0] == "close":
            assert {"--resume", "--yes"} <= set(args), name
            assert [arg for arg in args if arg.startswith("--run-id=")], name
    assert len(found) == (1 if folder == "nightly" else 2)


def test_nothing_is_closed_before_somebody_said_so() -> None:
    """The CronJob and the Job that closes are suspended; runs never overlap."""
    (cron,) = [each for each in rendered("nightly") if each["kind"] == "CronJob"]
    assert cron["spec"]["suspend"] is True
    assert cron["spec"]["concurrencyPolicy"] == "Forbid"
    jobs = {each["metadata"]["name"]: each["spec"] for each in rendered("month-end") if each["kind"] == "Job"}
    (plan, close) = (jobs[f"month-end-{what}-2026-10"] for what in ("plan", "close"))
    assert "suspend" not in plan
    assert close["suspend"] is True
    (period,) = [
        each for each in rendered("month-end") if each["metadata"]["name"].startswith("month-end-2026-10")
    ]
    assert period["data"] == {"period": "2026-10"}


def test_the_settings_are_those_of_config() -> None:
    """Kustomize reads nothing from outside its folder, so the files are there twice."""
    copies = [*(KUBERNETES / "base").glob("*.toml"), *KUBERNETES.glob("overlays/*/*.toml")]
    for copy in copies:
        assert copy.read_bytes() == (ROOT / "config" / copy.name).read_bytes(), copy
    assert len(copies) == 4


def test_the_example_of_the_secret_has_no_value() -> None:
    """And no kustomization names it."""
    yaml = pytest.importorskip("yaml")
    secret = yaml.safe_load((KUBERNETES / "base" / "secret.example.yaml").read_text(encoding="utf-8"))
    assert secret["data"] == {"api-key": ""}
    for path in KUBERNETES.rglob("kustomization.yaml"):
        assert "secret" not in path.read_text(encoding="utf-8")


def test_what_gets_in_and_out() -> None:
    """Nothing but names, port 443 outside the cluster, and in a fleet the queue and the metrics."""
    (base,) = [each["spec"] for each in rendered("nightly") if each["kind"] == "NetworkPolicy"]
    assert (base["podSelector"], base["ingress"]) == ({}, [])
    assert [[port["port"] for port in rule["ports"]] for rule in base["egress"]] == [[53, 53], [443]]
    policies = [each for each in rendered("fleet") if each["kind"] == "NetworkPolicy"]
    assert sorted(each["metadata"]["name"] for each in policies) == ["batch-closer", "valkey", "worker"]
    (valkey,) = [each["spec"] for each in policies if each["metadata"]["name"] == "valkey"]
    assert valkey["egress"] == []
    labels = [
        each["spec"]["template"]["metadata"]["labels"]
        for each in rendered("fleet")
        if each["kind"] == "Deployment"
    ]
    (selected,) = [each["spec"]["podSelector"] for each in policies if each["metadata"]["name"] == "worker"]
    assert selected["matchLabels"].items() <= labels[0].items()
