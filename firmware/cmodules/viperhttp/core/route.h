// SPDX-License-Identifier: MIT
// The routes that Python handles: which one is meant by a method and a path.
//
// A pattern is made of literal segments and of parameters, each a whole segment: "/a/{id:int}",
// "/b/{name}", "/files/{rest:path}". A literal goes before a parameter, and of parameters int
// goes before float, bool, str and path. The lookup takes a step for each segment, whatever the
// number of routes. Filled before the server starts, read-only while it runs.
#ifndef VHTTP_ROUTE_H
#define VHTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser.h"
#include "slice.h"
#include "value.h"
#include "vhttp_config.h"

#define VHTTP_METHOD_COUNT (VHTTP_OPTIONS + 1)

struct vhttp_array {
    void *items;
    uint32_t count, capacity;
};

// A query parameter that a route takes.
struct vhttp_query_parameter {
    struct vhttp_slice name;
    enum vhttp_value_kind kind;
    bool required;
};

// Zeroed it is empty.
struct vhttp_routes {
    struct vhttp_array nodes, edges, routes, parameters;
    uint32_t edge_count;
};

// One part of a pattern, between two slashes.
struct vhttp_pattern_part {
    bool is_parameter;
    struct vhttp_slice text; // a literal, or the parameter's name
    enum vhttp_value_kind kind;
};

// Takes the next part off `pattern`, which starts with '/'. Returns 1, 0 at the end, or -1 for a
// pattern that cannot be.
int vhttp_pattern_next(struct vhttp_slice *pattern, struct vhttp_pattern_part *part);

enum vhttp_route_error {
    VHTTP_ROUTE_OK,
    VHTTP_ROUTE_BAD_PATTERN,
    VHTTP_ROUTE_TAKEN, // there is a route for one of the methods and this pattern
    VHTTP_ROUTE_TOO_MANY,
    VHTTP_ROUTE_NO_MEMORY,
};

// Adds a route for a set of methods (1 << enum vhttp_method). *index counts them from 0. The
// pattern, and the `count` parameters' names, are kept by the caller.
enum vhttp_route_error vhttp_routes_add(struct vhttp_routes *routes, unsigned methods,
                                        struct vhttp_slice pattern,
                                        const struct vhttp_query_parameter *parameters,
                                        size_t count, uint32_t *index);

// Frees the tables. They are empty then, and may be added to.
void vhttp_routes_free(struct vhttp_routes *routes);

struct vhttp_match {
    uint32_t route;
    unsigned methods; // that routes with this path take; 0: the path is no route's
    size_t count;
    struct vhttp_value values[VHTTP_ROUTE_PARAMETERS_MAX]; // of the path, in the pattern's order
};

// Finds the route for `method` and a decoded path; its values point into the path. HEAD is GET
// where it has no route of its own. False when there is none; match->methods then tells 405 from
// 404.
bool vhttp_routes_find(const struct vhttp_routes *routes, enum vhttp_method method,
                       const char *path, struct vhttp_match *match);

// The query parameters of a route, *count of them.
const struct vhttp_query_parameter *vhttp_route_parameters(const struct vhttp_routes *routes,
                                                           uint32_t route, size_t *count);

#endif
