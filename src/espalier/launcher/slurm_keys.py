"""The parameters of ``sbatch`` by their names; what they mean and are stands in ``conf/launcher/_sbatch.yaml``.

Left out are those that are ours to say: array, output, error, open-mode, input, signal, chdir, export, job-name,
parsable, wait, wrap, test-only and their like; and clusters: jobs are followed on this one.
"""

from __future__ import annotations

from typing import Annotated, TypedDict

from annotated_types import Ge

Count = Annotated[int, Ge(1)] | None
Amount = int | str | None  # 8G, 512M, or megabytes
Names = str | list[str] | None
Switch = bool | None


class Sbatch(TypedDict):
    """``launcher.partition`` is ``--partition``; null leaves it out."""

    account: str | None
    acctg_freq: Amount
    batch: str | None
    bb: str | None
    bbf: str | None
    begin: str | None
    comment: str | None
    constraint: str | None
    container: str | None
    contiguous: Switch
    core_spec: Count
    cores_per_socket: Count
    cpu_freq: str | None
    cpus_per_gpu: Count
    cpus_per_task: Count
    deadline: str | None
    delay_boot: Amount
    dependency: str | None
    distribution: str | None
    exclude: Names
    exclusive: bool | str | None
    extra: str | None
    extra_node_info: str | None
    gpu_bind: str | None
    gpu_freq: str | None
    gpus: Amount
    gpus_per_node: Amount
    gpus_per_socket: Amount
    gpus_per_task: Amount
    gres: Names
    gres_flags: str | None
    hint: str | None
    hold: Switch
    kill_on_invalid_dep: str | None
    licenses: Names
    mail_type: Names
    mail_user: str | None
    mcs_label: str | None
    mem: Amount
    mem_bind: str | None
    mem_per_cpu: Amount
    mem_per_gpu: Amount
    mincpus: Count
    network: str | None
    nice: int | None
    no_kill: Switch
    no_requeue: Switch
    nodefile: str | None
    nodelist: Names
    nodes: Count
    ntasks_per_core: Count
    ntasks_per_gpu: Count
    ntasks_per_node: Count
    ntasks_per_socket: Count
    overcommit: Switch
    oversubscribe: Switch
    partition: Names
    power: str | None
    prefer: str | None
    priority: Amount
    profile: str | None
    propagate: Names
    qos: str | None
    reboot: Switch
    reservation: Names
    segment: Count
    sockets_per_node: Count
    spread_job: Switch
    switches: Amount
    thread_spec: Count
    threads_per_core: Count
    time: Amount
    time_min: Amount
    tmp: Amount
    tres_bind: str | None
    tres_per_task: str | None
    use_min_nodes: Switch
    wait_all_nodes: int | None
    wckey: str | None
