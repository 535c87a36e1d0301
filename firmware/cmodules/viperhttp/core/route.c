// SPDX-License-Identifier: MIT
#include "route.h"

#include "path.h"
#include "platform.h"

#define NODES_MAX UINT16_MAX // a node's index has 16 bits
#define ROOT 0

struct node {
    uint16_t routes[VHTTP_METHOD_COUNT];  // a route's index and one; 0: none
    uint16_t children[VHTTP_VALUE_KINDS]; // behind a parameter of that kind; 0: none
};

// A literal segment that leads from one node to another: an entry of an open hash table.
struct edge {
    struct vhttp_slice text; // at == NULL: the entry is free
    uint16_t from, to;
};

struct route {
    uint32_t first, count; // its query parameters
};

// ---- Patterns

int vhttp_pattern_next(struct vhttp_slice *pattern, struct vhttp_pattern_part *part) {
    if (pattern->length == 0) {
        return 0;
    }
    if (pattern->at[0] != '/') {
        return -1;
    }
    const char *start = pattern->at + 1;
    const char *end = memchr(start, '/', pattern->length - 1);
    size_t length = end == NULL ? pattern->length - 1 : (size_t)(end - start);
    *pattern = (struct vhttp_slice){start + length, pattern->length - 1 - length};
    *part = (struct vhttp_pattern_part){.text = {start, length}};
    bool has_braces = memchr(start, '{', length) != NULL || memchr(start, '}', length) != NULL;
    if (!has_braces) {
        bool is_last = pattern->length == 0; // "//" is in no decoded path
        return (length > 0 || is_last) && vhttp_path_may_have(part->text) ? 1 : -1;
    }
    if (start[0] != '{' || start[length - 1] != '}') {
        return -1;
    }
    struct vhttp_slice inside = {start + 1, length - 2};
    const char *colon = memchr(inside.at, ':', inside.length);
    size_t name_length = colon == NULL ? inside.length : (size_t)(colon - inside.at);
    part->is_parameter = true;
    part->text = (struct vhttp_slice){inside.at, name_length};
    if (colon != NULL) {
        part->kind =
            vhttp_value_kind_of((struct vhttp_slice){colon + 1, inside.length - name_length - 1});
    }
    bool is_good = name_length > 0 && part->kind != VHTTP_VALUE_KINDS &&
                   memchr(inside.at, '{', inside.length) == NULL &&
                   memchr(inside.at, '}', inside.length) == NULL &&
                   (part->kind != VHTTP_VALUE_PATH || pattern->length == 0);
    return is_good ? 1 : -1;
}

// ---- Building

// Room for one more item, zeroed; NULL when memory does not suffice.
static void *append(struct vhttp_array *array, size_t size) {
    if (array->count == array->capacity) {
        uint32_t capacity = array->capacity == 0 ? 16 : array->capacity * 2;
        void *items = vhttp_alloc(capacity * size, VHTTP_MEMORY_LARGE);
        if (items == NULL) {
            return NULL;
        }
        if (array->items != NULL) {
            memcpy(items, array->items, array->count * size);
        }
        vhttp_free(array->items);
        array->items = items;
        array->capacity = capacity;
    }
    return (char *)array->items + array->count++ * size;
}

static struct node *node_at(const struct vhttp_routes *routes, uint32_t index) {
    return (struct node *)routes->nodes.items + index;
}

// The entry for a segment behind a node: that of the edge, or the free one where it would stand.
static struct edge *edge_of(const struct vhttp_array *edges, uint32_t from,
                            struct vhttp_slice text) {
    uint32_t hash = 2166136261u ^ from; // FNV-1a
    for (size_t i = 0; i < text.length; i++) {
        hash = (hash ^ (unsigned char)text.at[i]) * 16777619u;
    }
    struct edge *entries = edges->items;
    for (uint32_t i = hash ^ hash >> 15;; i++) {
        struct edge *edge = &entries[i & (edges->capacity - 1)];
        if (edge->text.at == NULL || (edge->from == from && edge->text.length == text.length &&
                                      memcmp(edge->text.at, text.at, text.length) == 0)) {
            return edge;
        }
    }
}

// Keeps the table at most half full.
static bool make_room_for_edge(struct vhttp_routes *routes) {
    struct vhttp_array *edges = &routes->edges;
    if ((routes->edge_count + 1) * 2 <= edges->capacity) {
        return true;
    }
    uint32_t capacity = edges->capacity == 0 ? 32 : edges->capacity * 2;
    struct vhttp_array wider = {vhttp_alloc(capacity * sizeof(struct edge), VHTTP_MEMORY_LARGE), 0,
                                capacity};
    if (wider.items == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < edges->capacity; i++) {
        const struct edge *edge = (struct edge *)edges->items + i;
        if (edge->text.at != NULL) {
            *edge_of(&wider, edge->from, edge->text) = *edge;
        }
    }
    vhttp_free(edges->items);
    *edges = wider;
    return true;
}

// The node behind `part`, made if need be. 0 when memory does not suffice.
static uint16_t child_of(struct vhttp_routes *routes, uint32_t node,
                         const struct vhttp_pattern_part *part) {
    if (!make_room_for_edge(routes) || routes->nodes.count > NODES_MAX) {
        return 0;
    }
    struct edge *edge = NULL;
    uint16_t child;
    if (part->is_parameter) {
        child = node_at(routes, node)->children[part->kind];
    } else {
        edge = edge_of(&routes->edges, node, part->text);
        child = edge->text.at == NULL ? 0 : edge->to;
    }
    if (child != 0) {
        return child;
    }
    if (append(&routes->nodes, sizeof(struct node)) == NULL) {
        return 0;
    }
    child = (uint16_t)(routes->nodes.count - 1);
    if (part->is_parameter) {
        node_at(routes, node)->children[part->kind] = child;
    } else {
        *edge = (struct edge){part->text, (uint16_t)node, child};
        routes->edge_count++;
    }
    return child;
}

static bool is_pattern(struct vhttp_slice pattern) {
    struct vhttp_pattern_part part;
    size_t parts = 0, parameters = 0;
    int result = pattern.length == 0 || pattern.length >= VHTTP_PATH_MAX ? -1 : 1;
    while (result > 0 && (result = vhttp_pattern_next(&pattern, &part)) > 0) {
        parameters += part.is_parameter;
        if (++parts > VHTTP_ROUTE_SEGMENTS_MAX || parameters > VHTTP_ROUTE_PARAMETERS_MAX) {
            return false;
        }
    }
    return result == 0;
}

enum vhttp_route_error vhttp_routes_add(struct vhttp_routes *routes, unsigned methods,
                                        struct vhttp_slice pattern,
                                        const struct vhttp_query_parameter *parameters,
                                        size_t count, uint32_t *index) {
    if (!is_pattern(pattern)) {
        return VHTTP_ROUTE_BAD_PATTERN;
    }
    if (routes->routes.count >= UINT16_MAX || count > VHTTP_ROUTE_PARAMETERS_MAX) {
        return VHTTP_ROUTE_TOO_MANY;
    }
    if (routes->nodes.count == 0 && append(&routes->nodes, sizeof(struct node)) == NULL) {
        return VHTTP_ROUTE_NO_MEMORY;
    }
    uint16_t node = ROOT;
    struct vhttp_pattern_part part;
    while (vhttp_pattern_next(&pattern, &part) > 0) {
        node = child_of(routes, node, &part);
        if (node == 0) {
            return VHTTP_ROUTE_NO_MEMORY;
        }
    }
    for (int method = 0; method < VHTTP_METHOD_COUNT; method++) {
        if ((methods >> method & 1) && node_at(routes, node)->routes[method] != 0) {
            return VHTTP_ROUTE_TAKEN;
        }
    }
    uint32_t first = routes->parameters.count;
    for (size_t i = 0; i < count; i++) {
        struct vhttp_query_parameter *kept =
            append(&routes->parameters, sizeof(struct vhttp_query_parameter));
        if (kept == NULL) {
            return VHTTP_ROUTE_NO_MEMORY;
        }
        *kept = parameters[i];
    }
    struct route *route = append(&routes->routes, sizeof(*route));
    if (route == NULL) {
        return VHTTP_ROUTE_NO_MEMORY;
    }
    *route = (struct route){first, (uint32_t)count};
    *index = routes->routes.count - 1;
    for (int method = 0; method < VHTTP_METHOD_COUNT; method++) {
        if (methods >> method & 1) {
            node_at(routes, node)->routes[method] = (uint16_t)(*index + 1);
        }
    }
    return VHTTP_ROUTE_OK;
}

void vhttp_routes_free(struct vhttp_routes *routes) {
    vhttp_free(routes->nodes.items);
    vhttp_free(routes->edges.items);
    vhttp_free(routes->routes.items);
    vhttp_free(routes->parameters.items);
    *routes = (struct vhttp_routes){0};
}

// ---- Finding

// The path ends at `node`.
static bool end_at(const struct vhttp_routes *routes, uint32_t node, enum vhttp_method method,
                   struct vhttp_match *match) {
    const struct node *end = node_at(routes, node);
    for (int other = 0; other < VHTTP_METHOD_COUNT; other++) {
        match->methods |= end->routes[other] != 0 ? 1u << other : 0;
    }
    uint16_t route = end->routes[method];
    if (route == 0 && method == VHTTP_HEAD) {
        route = end->routes[VHTTP_GET];
    }
    match->route = route - 1u;
    return route != 0;
}

// `path` is "" or what follows `node`, with its slash. Recursion ends with the longest pattern.
static bool find_below(const struct vhttp_routes *routes, uint32_t node, const char *path,
                       enum vhttp_method method, struct vhttp_match *match) {
    if (path[0] == '\0') {
        return end_at(routes, node, method, match);
    }
    const char *start = path + 1;
    size_t length = strcspn(start, "/");
    struct vhttp_slice segment = {start, length};
    const struct edge *edge = edge_of(&routes->edges, node, segment);
    if (edge->text.at != NULL && find_below(routes, edge->to, start + length, method, match)) {
        return true;
    }
    static const enum vhttp_value_kind order[] = {
        VHTTP_VALUE_INT, VHTTP_VALUE_FLOAT, VHTTP_VALUE_BOOL, VHTTP_VALUE_STR, VHTTP_VALUE_PATH};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        enum vhttp_value_kind kind = order[i];
        uint16_t child = node_at(routes, node)->children[kind];
        if (child == 0) {
            continue;
        }
        struct vhttp_slice text = kind == VHTTP_VALUE_PATH ? vhttp_slice_of(start) : segment;
        if ((kind != VHTTP_VALUE_PATH && length == 0) ||
            !vhttp_value_convert(kind, text, &match->values[match->count])) {
            continue;
        }
        match->count++;
        if (find_below(routes, child, text.at + text.length, method, match)) {
            return true;
        }
        match->count--;
    }
    return false;
}

bool vhttp_routes_find(const struct vhttp_routes *routes, enum vhttp_method method,
                       const char *path, struct vhttp_match *match) {
    match->methods = 0;
    match->count = 0;
    return routes->edges.capacity > 0 && path[0] == '/' &&
           find_below(routes, ROOT, path, method, match);
}

const struct vhttp_query_parameter *vhttp_route_parameters(const struct vhttp_routes *routes,
                                                           uint32_t route, size_t *count) {
    const struct route *entry = (struct route *)routes->routes.items + route;
    *count = entry->count;
    return (struct vhttp_query_parameter *)routes->parameters.items + entry->first;
}
