# SPDX-License-Identifier: MIT
"""What a handler raises to answer with an error."""


class HTTPException(Exception):
    """Answers with `status_code` and {"detail": detail}; `detail` is anything that JSON can hold.

    `headers` are further header fields of the response.
    """

    def __init__(self, status_code, detail=None, headers=None):
        super().__init__(status_code, detail)
        self.status_code = status_code
        self.detail = detail
        self.headers = headers
