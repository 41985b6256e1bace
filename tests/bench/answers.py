"""What the measured server answers: a close's BatchResponse of 770 bytes, and who the key is."""

from __future__ import annotations

import json
from typing import Final

SEEN: Final = "/seen"
"""Where a server says how many requests it has answered."""

BATCH: Final = (
    b'{"accountPeriodName":"Oct 2026","accountPeriodNumber":10,"accountPeriodYear":2026,"analyzingCount":0,'
    b'"batchCode":"UTIL-2026-10-%d","batchId":%d,"batchStatus":"closed","billCount":12,"controlCode":"",'
    b'"createdBy":{"fullName":"Utility Import","userCode":"IMPORT","userId":17},'
    b'"dueDate":"2026-11-15T00:00:00Z","endDate":"2099-01-01T00:00:00Z","flagCount":0,"hasImportedBills":true,"hasImportsWithKickout":false,'
    b'"hasLogs":false,"invoiceNumber":"","isOpen":false,"nextReading":null,"note":"Nightly import of '
    b"electric, gas and water bills. Reviewed against the paper invoices; two of the meters were "
    b'estimated by the utility, because nobody could read them.","runningTotal":1234.56,'
    b'"startDate":"2026-10-30T22:15:00Z","statementDate":"2026-10-29T00:00:00Z"}'
)
"""Twice ``%d`` for the id. It ends long after any run began: whoever closed it did so now."""

ME: Final = json.dumps(
    {
        "systemUserId": 17,
        "systemUserCode": "BENCH",
        "fullName": "Bench",
        "environment": "bench",
        "permissions": {"billsAndBatches": {"view": True, "create": True, "manage": True}},
    }
).encode()
