"""Figures of a server for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096)


class Metrics:
    """What is counted; no more series than models x questions x statuses."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        where = ("model", "question")
        self._requests = Counter("laten_requests", "Requests", (*where, "status"), registry=self.registry)
        self._seconds = Histogram(
            "laten_request_seconds", "Time to an answer", where, buckets=SECONDS, registry=self.registry
        )
        self._rows = Counter("laten_rows", "Rows answered", where, registry=self.registry)
        self._batch = Histogram("laten_batch_rows", "Rows in one compiled call", buckets=ROWS, registry=self.registry)
        self._shared = Counter("laten_batch_requests", "Requests that compiled calls were for", registry=self.registry)
        self.waiting = Gauge("laten_waiting_requests", "Requests that are being answered", registry=self.registry)
        self._loads = Counter("laten_model_loads", "Times a model was read anew", ("model",), registry=self.registry)

    def request(self, model: str, question: str, status: int, seconds: float, rows: int) -> None:
        """Count a request."""
        self._requests.labels(model, question, str(status)).inc()
        self._seconds.labels(model, question).observe(seconds)
        if status == 200:
            self._rows.labels(model, question).inc(rows)

    def batch(self, rows: int, requests: int) -> None:
        """Count a compiled call."""
        self._batch.observe(rows)
        self._shared.inc(requests)

    def loaded(self, model: str) -> None:
        """Count a model that was read anew."""
        self._loads.labels(model).inc()

    def text(self) -> bytes:
        """Return all of it as Prometheus reads it."""
        return bytes(generate_latest(self.registry))
