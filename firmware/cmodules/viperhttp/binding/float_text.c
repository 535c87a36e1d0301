// SPDX-License-Identifier: MIT
#include "float_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "py/runtime.h"

#if MICROPY_USE_INTERNAL_PRINTF
#error                                                                                             \
    "MicroPython's own printf rounds floats: the board's settings lack MICROPY_USE_INTERNAL_PRINTF (0)"
#endif

// Decimal digits that every float keeps, and that suffice to tell any two apart.
#if MICROPY_FLOAT_IMPL == MICROPY_FLOAT_IMPL_DOUBLE
#define DIGITS_SAFE 15
#define DIGITS_MAX 17
#else
#define DIGITS_SAFE 6
#define DIGITS_MAX 9
#endif
#define WHOLE_FROM 1e17   // from here on a float has no fraction
#define FRACTION_MAX 340  // digits behind the point, beyond which none differs from 0
#define EXPONENT_SHOWN 16 // from 1e16 on, and below 1e-4, as in Python

// "d.ddde±xx" with the fewest digits that read back as `value`.
static void shortest(mp_float_t value, char *text, size_t size) {
    bool is_normal = isnormal(value);
    for (int digits = is_normal ? DIGITS_SAFE : 1; digits <= DIGITS_MAX; digits++) {
        snprintf(text, size, "%.*e", digits - 1, (double)value);
        if ((mp_float_t)strtod(text, NULL) == value) {
            return;
        }
    }
}

void vhttp_float_text(mp_float_t value, char text[FLOAT_TEXT_SIZE]) {
    if (!isfinite(value)) {
        strcpy(text, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
        return;
    }
    char scientific[FLOAT_TEXT_SIZE], digits[DIGITS_MAX + 1];
    shortest(value, scientific, sizeof(scientific));
    char *mark = strchr(scientific, 'e');
    int exponent = atoi(mark + 1), count = 0;
    for (const char *at = scientific; at < mark; at++) {
        if (*at >= '0' && *at <= '9') {
            digits[count++] = *at;
        }
    }
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    char *out = text;
    if (scientific[0] == '-') {
        *out++ = '-';
    }
    if (exponent < -4 || exponent >= EXPONENT_SHOWN) {
        *out++ = digits[0];
        if (count > 1) {
            *out++ = '.';
            memcpy(out, digits + 1, (size_t)count - 1);
            out += count - 1;
        }
        sprintf(out, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
        return;
    }
    if (exponent < 0) {
        out += sprintf(out, "0.%0*d", -exponent - 1, 0) - (exponent == -1);
    }
    for (int i = 0; i < count || i <= exponent; i++) {
        *out++ = i < count ? digits[i] : '0';
        if (i == exponent) {
            *out++ = '.';
        }
    }
    if (out[-1] == '.') {
        *out++ = '0';
    }
    *out = '\0';
}

static mp_obj_t float_text(mp_obj_t value) {
    char text[FLOAT_TEXT_SIZE];
    vhttp_float_text(mp_obj_get_float(value), text);
    return mp_obj_new_str_from_cstr(text);
}
MP_DEFINE_CONST_FUN_OBJ_1(vhttp_float_text_obj, float_text);

static mp_obj_t float_round(mp_obj_t value_in, mp_obj_t digits_in) {
    double value = (double)mp_obj_get_float(value_in);
    mp_int_t digits = mp_obj_get_int(digits_in);
    if (!isfinite(value) || digits > FRACTION_MAX || (digits >= 0 && fabs(value) >= WHOLE_FROM)) {
        return value_in;
    }
    if (digits < 0) {
        double scale = pow(10.0, (double)-digits);
        return mp_obj_new_float(
            (mp_float_t)(isfinite(scale) ? nearbyint(value / scale) * scale : 0));
    }
    char text[FRACTION_MAX + 32];
    snprintf(text, sizeof(text), "%.*f", (int)digits, value);
    return mp_obj_new_float((mp_float_t)strtod(text, NULL));
}
MP_DEFINE_CONST_FUN_OBJ_2(vhttp_float_round_obj, float_round);
