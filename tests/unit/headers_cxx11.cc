/* SPDX-License-Identifier: Apache-2.0 */
/* weir.h and weir_extension.h are whole, and clean, in C++11, and link with C names. */
#include "weir_extension.h"

#include <cstdio>
#include <cstring>

int main() {
    weir_error error = weir_error();
    weir_workspace *workspace = nullptr;
    weir_session *session = nullptr;
    if (weir_workspace_open(nullptr, &workspace, &error) != WEIR_OK ||
        weir_session_open(workspace, nullptr, &session, &error) != WEIR_OK) {
        std::fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    int code = weir_session_set(session, "no.such.setting", "1", &error);
    bool right = code == WEIR_NOT_FOUND && std::strstr(error.message, "no.such.setting") != nullptr;
    if (!right) std::fprintf(stderr, "%d: %s\n", code, error.message);
    weir_session_close(session);
    weir_workspace_close(workspace);
    return right ? 0 : 1;
}
