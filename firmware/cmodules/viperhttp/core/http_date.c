// SPDX-License-Identifier: MIT
#include "http_date.h"

#include <stdbool.h>
#include <stdio.h>

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char days[] = "ThuFriSatSunMonTueWed"; // the first of 1970 was a Thursday

// Days from 1970-01-01 to the given day of the Gregorian calendar; years begin in March, so that
// the leap day is their last.
static int64_t days_to(int year, int month, int day) {
    int64_t y = month > 2 ? year : year - 1;
    int64_t months_since_march = (month + 9) % 12;
    int64_t day_of_year = (153 * months_since_march + 2) / 5 + day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

void vhttp_format_date(int64_t seconds, char out[VHTTP_DATE_SIZE]) {
    int64_t since = seconds / 86400;
    int second_of_day = (int)(seconds % 86400);
    int year = 1970 + (int)(since / 366); // or a later one
    while (days_to(year + 1, 1, 1) <= since) {
        year++;
    }
    int month = 12;
    while (days_to(year, month, 1) > since) {
        month--;
    }
    int day = (int)(since - days_to(year, month, 1)) + 1;
    snprintf(out, VHTTP_DATE_SIZE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + since % 7 * 3,
             (unsigned)day % 100, months + (month - 1) * 3, (unsigned)year % 10000,
             (unsigned)second_of_day / 3600 % 100, (unsigned)second_of_day / 60 % 60,
             (unsigned)second_of_day % 60);
}

// ---- Reading: each step takes what it expects off `text`, or answers false

static bool take_text(struct vhttp_slice *text, const char *expected) {
    size_t length = strlen(expected);
    if (text->length < length || memcmp(text->at, expected, length) != 0) {
        return false;
    }
    text->at += length;
    text->length -= length;
    return true;
}

static bool take_number(struct vhttp_slice *text, size_t digits, int *number) {
    if (text->length < digits) {
        return false;
    }
    *number = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = text->at[i];
        if (i == 0 && digits == 2 && c == ' ') {
            continue; // asctime's day of one digit
        }
        if (c < '0' || c > '9') {
            return false;
        }
        *number = *number * 10 + (c - '0');
    }
    text->at += digits;
    text->length -= digits;
    return true;
}

static bool take_month(struct vhttp_slice *text, int *month) {
    for (*month = 1; *month <= 12; ++*month) {
        char name[4] = {0};
        memcpy(name, months + (*month - 1) * 3, 3);
        if (take_text(text, name)) {
            return true;
        }
    }
    return false;
}

struct moment {
    int year, month, day, hour, minute, second;
};

static bool take_time(struct vhttp_slice *text, struct moment *moment) {
    return take_number(text, 2, &moment->hour) && take_text(text, ":") &&
           take_number(text, 2, &moment->minute) && take_text(text, ":") &&
           take_number(text, 2, &moment->second);
}

// "06 Nov 1994 08:49:37 GMT", or "06-Nov-94 08:49:37 GMT"
static bool take_fixed_form(struct vhttp_slice text, struct moment *moment) {
    if (!take_number(&text, 2, &moment->day)) {
        return false;
    }
    bool is_short = take_text(&text, "-");
    const char *separator = is_short ? "-" : " ";
    if ((!is_short && !take_text(&text, " ")) || !take_month(&text, &moment->month) ||
        !take_text(&text, separator) || !take_number(&text, is_short ? 2 : 4, &moment->year)) {
        return false;
    }
    if (is_short) {
        moment->year += moment->year < 70 ? 2000 : 1900;
    }
    return take_text(&text, " ") && take_time(&text, moment) && take_text(&text, " GMT") &&
           text.length == 0;
}

// "Nov  6 08:49:37 1994"
static bool take_asctime_form(struct vhttp_slice text, struct moment *moment) {
    return take_month(&text, &moment->month) && take_text(&text, " ") &&
           take_number(&text, 2, &moment->day) && take_text(&text, " ") &&
           take_time(&text, moment) && take_text(&text, " ") &&
           take_number(&text, 4, &moment->year) && text.length == 0;
}

int64_t vhttp_parse_date(struct vhttp_slice text) {
    const char *space = memchr(text.at, ' ', text.length);
    if (space == NULL || space - text.at < 3) {
        return -1;
    }
    struct vhttp_slice rest = {space + 1, text.length - (size_t)(space + 1 - text.at)};
    struct moment m;
    bool is_read = space[-1] == ',' ? take_fixed_form(rest, &m) : take_asctime_form(rest, &m);
    if (!is_read || m.year < 1970 || m.day < 1 || m.day > 31 || m.hour > 23 || m.minute > 59 ||
        m.second > 60) {
        return -1;
    }
    return days_to(m.year, m.month, m.day) * 86400 + m.hour * 3600 + m.minute * 60 + m.second;
}
