// SPDX-License-Identifier: MIT
// Double of newlib's string.h: what viperhttp uses of it on the chip.
#pragma once

#include <stddef.h>

void *memchr(const void *at, int byte, size_t length);
int memcmp(const void *one, const void *other, size_t length);
void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *at, int byte, size_t length);
char *strcat(char *to, const char *text);
char *strchr(const char *text, int character);
int strcmp(const char *one, const char *other);
char *strcpy(char *to, const char *from);
size_t strcspn(const char *text, const char *characters);
size_t strlen(const char *text);
int strncmp(const char *one, const char *other, size_t length);
char *strrchr(const char *text, int character);
char *strstr(const char *text, const char *part);
