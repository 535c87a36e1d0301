#include "status.h"

const struct vhttp_status vhttp_statuses[VHTTP_STATUS_COUNT] = {
    {200, "OK"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {304, "Not Modified"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

size_t vhttp_status_index(int code) {
    size_t server_error = 0;
    for (size_t i = 0; i < VHTTP_STATUS_COUNT; i++) {
        if (vhttp_statuses[i].code == code) {
            return i;
        }
        if (vhttp_statuses[i].code == 500) {
            server_error = i;
        }
    }
    return server_error;
}
