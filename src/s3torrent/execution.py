"""The state machine that the largest objects are handed over to (AWS Step Functions)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from s3torrent.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Executions:
    """``client`` makes the Step Functions client, which is seldom needed."""

    def __init__(self, client: Callable[[], Any], arn: str) -> None:
        self._client, self._arn = client, arn

    def start(self, name: str, job: Mapping[str, Any]) -> None:
        """Of the same name there is one execution, however often it is started.

        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
        """
        client = self._client()
        try:
            client.start_execution(stateMachineArn=self._arn, name=name, input=json.dumps({"job": job}))
        except client.exceptions.ExecutionAlreadyExists:
            return
        except Exception as error:
            raise EngineError(
                f"states:StartExecution on {self._arn}: {error}",
                hint="the function's role needs states:StartExecution on TORRENT_FANOUT_STATE_MACHINE",
            ) from error
