"""Steps of a run side by side, in its own process: a step that nothing under way has to precede need not wait.

Dagster has executors that run one step at a time, or each in a process that takes seconds to start.
"""

import ctypes
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.errors import DagsterExecutionInterruptedError, raise_execution_interrupts
from dagster._core.execution.api import ExecuteRunWithPlanIterable
from dagster._core.execution.context.system import PlanExecutionContext, PlanOrchestrationContext, StepExecutionContext
from dagster._core.execution.context_creation_job import PlanExecutionContextManager
from dagster._core.execution.execute_in_process import core_execute_in_process
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.execute_plan import dagster_event_sequence_for_step
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.step import ExecutionStep
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor

from flywheel_assets.lake.processes import PROCESSORS

# Day steps compute several days at once already: more steps would only take each other's memory.
AT_ONCE = min(2, PROCESSORS)


def execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    tags: Mapping[str, str],
    run_id: str | None = None,
    run_config: Mapping[str, object] | None = None,
) -> dg.ExecuteInProcessResult:
    """The job in this process, with two steps at a time; raises nothing for a step that failed.

    `execute_in_process` of the job would put its own executor in the place of this one.
    """
    return core_execute_in_process(
        job=InMemoryJob(job.with_executor_def(side_by_side)),
        instance=instance,
        run_id=run_id,
        run_config=run_config or {},
        run_tags=tags,
        output_capturing_enabled=False,
        raise_on_error=False,
    )


@dg.executor(name="side_by_side")
def side_by_side(_context: dg.InitExecutorContext) -> InProcessExecutor:
    """Two steps at a time, each in a thread; those that artifacts do not wait for, when no other is under way."""
    return SideBySide(RetryMode.ENABLED)


class SideBySide(InProcessExecutor):
    """Dagster's, with another loop over the steps."""

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """Every event of every step."""
        yield from ExecuteRunWithPlanIterable(
            execution_plan=execution_plan,
            iterator=_events,
            execution_context_manager=PlanExecutionContextManager(
                job=plan_context.job,
                retry_mode=plan_context.retry_mode,
                execution_plan=execution_plan,
                run_config=plan_context.run_config,
                dagster_run=plan_context.dagster_run,
                instance=plan_context.instance,
                raise_on_error=plan_context.raise_on_error,
                output_capture=plan_context.output_capture,
                step_dependency_config=self.step_dependency_config,
            ),
        )


def _events(job_context: PlanExecutionContext, execution_plan: ExecutionPlan) -> Iterator[dg.DagsterEvent]:
    with (
        InstanceConcurrencyContext(job_context.instance, job_context.dagster_run) as slots,
        execution_plan.start(
            retry_mode=job_context.retry_mode,
            instance_concurrency_context=slots,
            step_dependency_config=job_context.step_dependency_config,
        ) as active,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        under_way = _UnderWay(job_context, active, pool)
        try:
            while not active.is_complete:
                yield from active.concurrency_event_iterator(job_context)
                yield from under_way.some()
        except DagsterExecutionInterruptedError:
            under_way.interrupt()
            raise


@dataclass(slots=True)
class _UnderWay:
    """Steps that may start, and those that did: by key each one's priority and thread."""

    job_context: PlanExecutionContext
    active: ActiveExecution
    pool: ThreadPoolExecutor
    waiting: list[ExecutionStep] = field(default_factory=list[ExecutionStep])
    running: dict[str, tuple[int, Future[None]]] = field(default_factory=dict[str, tuple[int, Future[None]]])
    threads: dict[str, int] = field(default_factory=dict[str, int])
    # Events, and of each step, when it has come to its end, the key.
    told: SimpleQueue[dg.DagsterEvent | str] = field(default_factory=SimpleQueue[dg.DagsterEvent | str])

    def some(self) -> Iterator[dg.DagsterEvent]:
        """Start what can be started, and tell what is told until a step has come to its end."""
        self._start()
        if not self.running:
            self.active.sleep_til_ready()
            return
        while not isinstance(told := self._told(), str):
            yield told
            self.active.handle_event(told)
        self.running.pop(told)[1].result()
        self.active.verify_complete(self.job_context, told)
        yield from self.active.plan_events_iterator(self.job_context)

    def interrupt(self) -> None:
        """Let each step end as one on the main thread would: where it next comes back to Python."""
        for thread in self.threads.values():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread), ctypes.py_object(DagsterExecutionInterruptedError)
            )

    def _told(self) -> dg.DagsterEvent | str:
        with raise_execution_interrupts():
            return self.told.get()

    def _start(self) -> None:
        self.waiting = sorted([*self.waiting, *self.active.get_steps_to_execute()], key=_priority, reverse=True)
        while self.waiting and len(self.running) < AT_ONCE:
            priority = _priority(self.waiting[0])
            if any(priority < other for other, _ in self.running.values()):
                return
            step = self.waiting.pop(0)
            context = self.job_context.for_step(step, self.active.get_known_state())
            self.running[step.key] = priority, self.pool.submit(self._run, context)

    def _run(self, context: StepExecutionContext) -> None:
        self.threads[context.step.key] = threading.get_ident()
        try:
            for event in dagster_event_sequence_for_step(context):
                self.told.put(event)
        finally:
            del self.threads[context.step.key]
            self.told.put(context.step.key)


def _priority(step: ExecutionStep) -> int:
    return int((step.tags or {}).get("dagster/priority", 0))
