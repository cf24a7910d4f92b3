/*
 * LAB: a stand-in for Microsoft's azcmagent.exe, for labs and tests. It sends nothing anywhere and starts no service.
 *
 * The same program as azcmagent.sh, for Windows: read that one first, the functions have the same names in the same
 * order, and one table of cases in the tests runs against both. Compiled elsewhere it behaves as azcmagent.sh does,
 * so that the table can be run without Windows. BUILD.md has the command that rebuilds azcmagent.exe.
 * Text is UTF-8 throughout; memory is never given back, the program ends too soon for that.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#include <windows.h>
#define SystemFunction036 NTAPI SystemFunction036 /* ntsecapi.h forgets how it is called */
#include <ntsecapi.h>
#undef SystemFunction036
#else
#include <sys/stat.h>
#include <unistd.h>
#endif

/* The tests and the lab write a version here: 31 bytes and a NUL. */
static const volatile char place[32] = "@LAB-AGENT-VERSION@";
static const char *version_text;

#define LAB "LAB: this is a lab agent, nothing is sent to Azure"
#define COMMON "config= help:h json:j log-stderr no-color verbose:v"
#define SIGN_IN                                                                                                        \
    "tenant-id:t= user-tenant-id= service-principal-id:i= service-principal-secret:p= service-principal-cert= "       \
    "service-principal-cert-thumbprint= access-token= use-device-code use-azcli"
#define MANY 256

typedef struct {
    const char *key[MANY], *value[MANY];
    int count;
} Map;

static Map opt, conf, agent, lab, json;
static const char *words[MANY];
static int word_count;
static const char *state_folder;

/* --- Text --------------------------------------------------------------------------------------------------------- */

static const char *text(const char *form, ...) {
    va_list arguments;
    va_start(arguments, form);
    int size = vsnprintf(NULL, 0, form, arguments);
    va_end(arguments);
    char *made = malloc((size_t)size + 1);
    if (made == NULL) abort();
    va_start(arguments, form);
    vsnprintf(made, (size_t)size + 1, form, arguments);
    va_end(arguments);
    return made;
}

static const char *slice(const char *from, size_t size) { return text("%.*s", (int)size, from); }

static int same(const char *a, const char *b) { return strcmp(a, b) == 0; }

static int starts(const char *a, const char *with) { return strncmp(a, with, strlen(with)) == 0; }

static const char *lower(const char *a) {
    char *made = (char *)text("%s", a);
    for (char *at = made; *at; at++)
        if (*at >= 'A' && *at <= 'Z') *at += 'a' - 'A';
    return made;
}

static int all_of(const char *a, const char *allowed) { return a[strspn(a, allowed)] == 0; }

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define HEX DIGITS "abcdefABCDEF"

static const char *get(const Map *map, const char *key) {
    for (int i = map->count - 1; i >= 0; i--)
        if (same(map->key[i], key)) return map->value[i];
    return "";
}

static void put(Map *map, const char *key, const char *value) {
    for (int i = 0; i < map->count; i++)
        if (same(map->key[i], key)) {
            map->value[i] = value;
            return;
        }
    if (map->count == MANY) abort();
    map->key[map->count] = key;
    map->value[map->count++] = value;
}

static int has(const Map *map, const char *key) {
    for (int i = 0; i < map->count; i++)
        if (same(map->key[i], key)) return 1;
    return 0;
}

static int on(const char *flag) { return same(get(&opt, flag), "true"); }

static const char *given(const char *flag) { return get(&opt, flag); }

/* --- Files and the machine ------------------------------------------------------------------------------------------ */

#ifdef _WIN32
static wchar_t *wide(const char *a) {
    int size = MultiByteToWideChar(CP_UTF8, 0, a, -1, NULL, 0);
    wchar_t *made = malloc(sizeof(wchar_t) * (size_t)(size > 0 ? size : 1));
    if (made == NULL) abort();
    made[0] = 0;
    MultiByteToWideChar(CP_UTF8, 0, a, -1, made, size);
    return made;
}

static const char *narrow(const wchar_t *a) {
    int size = WideCharToMultiByte(CP_UTF8, 0, a, -1, NULL, 0, NULL, NULL);
    char *made = malloc((size_t)(size > 0 ? size : 1));
    if (made == NULL) abort();
    made[0] = 0;
    WideCharToMultiByte(CP_UTF8, 0, a, -1, made, size, NULL, NULL);
    return made;
}

static const char *environment(const char *name) {
    const wchar_t *value = _wgetenv(wide(name));
    return value == NULL ? "" : narrow(value);
}

static FILE *opened(const char *path, const char *mode) { return _wfopen(wide(path), wide(mode)); }
static int removed(const char *path) { return DeleteFileW(wide(path)) != 0; }
static void folder(const char *path) { CreateDirectoryW(wide(path), NULL); }

static int renamed(const char *from, const char *to) {
    return MoveFileExW(wide(from), wide(to), MOVEFILE_REPLACE_EXISTING) != 0;
}

static void find_state(void) {
    const char *root = environment("AZCMAGENT_LAB_ROOT");
    state_folder = text("%s\\AzureConnectedMachineAgent", *root ? root : environment("ProgramData"));
}

static const char *state_path(const char *name) {
    if (same(name, "lab.json")) return text("%s\\%s", state_folder, name);
    return text("%s\\%s\\%s", state_folder, same(name, "azcmagent.log") ? "Log" : "Config", name);
}

static void make_state(void) {
    folder(state_folder);
    folder(text("%s\\Config", state_folder));
    folder(text("%s\\Log", state_folder));
}

static int is_elevated(void) {
    HANDLE token;
    TOKEN_ELEVATION elevation = {0};
    DWORD size;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return 0;
    return GetTokenInformation(token, TokenElevation, &elevation, sizeof elevation, &size) && elevation.TokenIsElevated;
}

static const char *host_name(void) {
    wchar_t name[256];
    DWORD size = 256;
    return GetComputerNameExW(ComputerNameDnsHostname, name, &size) ? narrow(name) : "";
}

static void random_bytes(unsigned char *bytes, int size) {
    if (!RtlGenRandom(bytes, (ULONG)size)) abort();
}

#define NOT_ELEVATED "this command needs an elevated prompt"
#define SYSTEM "windows"
#else
static const char *environment(const char *name) {
    const char *value = getenv(name);
    return value == NULL ? "" : value;
}

static FILE *opened(const char *path, const char *mode) {
    struct stat found;
    if (mode[0] == 'r' && (stat(path, &found) != 0 || !S_ISREG(found.st_mode))) return NULL;
    return fopen(path, mode);
}

static int removed(const char *path) { return remove(path) == 0; }
static int renamed(const char *from, const char *to) { return rename(from, to) == 0; }

static void folder(const char *path) {
    char *part = (char *)text("%s", path);
    for (char *at = part + 1; *at; at++)
        if (*at == '/') {
            *at = 0;
            mkdir(part, 0755);
            *at = '/';
        }
    mkdir(part, 0755);
}

static void find_state(void) { state_folder = text("%s/var/opt/azcmagent", environment("AZCMAGENT_LAB_ROOT")); }

static const char *state_path(const char *name) {
    return text("%s/%s%s", state_folder, same(name, "azcmagent.log") ? "log/" : "", name);
}

static void make_state(void) { folder(text("%s/log", state_folder)); }
static int is_elevated(void) { return geteuid() == 0; }

static const char *host_name(void) {
    static char name[256];
    return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

static void random_bytes(unsigned char *bytes, int size) {
    FILE *source = fopen("/dev/urandom", "rb");
    if (source == NULL || fread(bytes, 1, (size_t)size, source) != (size_t)size) abort();
    fclose(source);
}

#define NOT_ELEVATED "this command needs root"
#define SYSTEM "linux"
#endif

static char *content(const char *path) { /* NULL where it cannot be read or holds a NUL */
    FILE *file = opened(path, "rb");
    size_t size = 0, room = 4096, got;
    if (file == NULL) return NULL;
    char *made = malloc(room);
    while (made != NULL && (got = fread(made + size, 1, room - size - 1, file)) > 0) {
        size += got;
        if (room - size < 2) made = realloc(made, room *= 2);
    }
    int bad = ferror(file);
    fclose(file);
    if (made == NULL) abort();
    made[size] = 0;
    return bad || strlen(made) != size ? NULL : made;
}

static const char *uuid(void) {
    unsigned char b[16];
    random_bytes(b, 16);
    b[6] = (unsigned char)((b[6] & 15) | 64);
    b[8] = (unsigned char)((b[8] & 63) | 128);
    return text("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4],
                b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static const char *now(void) {
    static char made[32];
    time_t seconds = time(NULL);
    strftime(made, sizeof made, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
    return made;
}

/* --- Words out ------------------------------------------------------------------------------------------------------ */

static void say(const char *level, const char *message) {
    if (!on("json")) fprintf(on("log-stderr") ? stderr : stdout, "%-8s%s\n", level, message);
}

static const char *quoted(const char *a) {
    char *made = malloc(strlen(a) * 6 + 3), *to = made;
    if (made == NULL) abort();
    *to++ = '"';
    for (; *a; a++) {
        unsigned char c = (unsigned char)*a;
        if (c == '"' || c == '\\') *to++ = '\\';
        if (c < 32 || c == 127)
            to += sprintf(to, "\\u%04x", c);
        else
            *to++ = *a;
    }
    *to++ = '"';
    *to = 0;
    return made;
}

static const char *json_object(const Map *map) {
    const char *made = "{";
    for (int i = 0; i < map->count; i++) made = text("%s%s:%s,", made, quoted(map->key[i]), quoted(map->value[i]));
    return text("%s\"lab\":true}\n", made);
}

static Map *pair(Map *map, const char *key, const char *value) {
    put(map, key, value);
    return map;
}

static const char *meaning(int code) {
    switch (code) {
    case 3: return "Unsupported Operation";
    case 12: return "Invalid Access Token";
    case 16: return "Missing Mandatory Parameter";
    case 18: return "Not Elevated";
    case 19: return "Invalid Configuration File";
    case 20: return "Unknown Region";
    case 23: return "Invalid Argument";
    case 26: return "Network Error";
    case 27: return "Configuration Conflict";
    case 41: return "Invalid Credentials";
    case 42: return "Resource Creation Failed";
    case 66:
    case 69: return "Local Configuration Failed";
    case 67: return "Already Connected";
    case 68: return "Subscription Lookup Failed";
    case 101: return "Command Error";
    case 102: return "Resource Name Not Derived";
    case 107: return "Invalid Certificate";
    default: return "Lab Failure";
    }
}

static void note(const char *level, const char *message) {
    FILE *file = opened(state_path("azcmagent.log"), "ab");
    if (file == NULL) return;
    fprintf(file, "time=%s level=%s msg=%s\n", now(), level, quoted(text("LAB %s", message)));
    fclose(file);
}

static void fail(int code, const char *detail) { /* never with a value that could be a secret */
    const char *name = text("AZCM%04d", code);
    note("error", text("%s: %s", name, detail));
    if (on("json")) {
        printf("{\"status\":\"failed\",\"error\":{\"code\":\"%s\",\"message\":%s},\"lab\":true}\n", name,
               quoted(text("%s: %s", meaning(code), detail)));
    } else {
        say("INFO", text("Exit Code:  %s: %s", name, meaning(code)));
        say("INFO", "For troubleshooting, see https://aka.ms/arc/azcmerror");
        say("FATAL", text("%s (LAB)", detail));
    }
    exit(code);
}

/* --- JSON in: a flat object of strings, numbers, true, false and null ------------------------------------------------ */

static void json_blanks(const char **rest) { *rest += strspn(*rest, " \t\r\n"); }

static char *json_point(char *to, long point) { /* UTF-8; NULL where there is no such character */
    if (point == 0 || (point >= 0xd800 && point < 0xe000)) return NULL;
    if (point < 0x80) {
        *to++ = (char)point;
    } else if (point < 0x800) {
        *to++ = (char)(0xc0 | point >> 6);
        *to++ = (char)(0x80 | (point & 63));
    } else if (point < 0x10000) {
        *to++ = (char)(0xe0 | point >> 12);
        *to++ = (char)(0x80 | (point >> 6 & 63));
        *to++ = (char)(0x80 | (point & 63));
    } else {
        *to++ = (char)(0xf0 | point >> 18);
        *to++ = (char)(0x80 | (point >> 12 & 63));
        *to++ = (char)(0x80 | (point >> 6 & 63));
        *to++ = (char)(0x80 | (point & 63));
    }
    return to;
}

static long hex4(const char *a) {
    if (strspn(slice(a, strnlen(a, 4)), HEX) != 4) return -1;
    return strtol(slice(a, 4), NULL, 16);
}

static const char *json_string(const char **rest) { /* NULL where it is none */
    const char *at = *rest, *simple = "\"\\/bfnrt", *means = "\"\\/\b\f\n\r\t", *found;
    char *made = malloc(strlen(at) + 1), *to = made;
    if (made == NULL) abort();
    if (*at++ != '"') return NULL;
    for (; *at != '"'; at++) {
        if ((unsigned char)*at < 32) return NULL; /* the end, too */
        if (*at != '\\') {
            *to++ = *at;
        } else if (*++at == 'u') {
            long point = hex4(at + 1);
            if (point < 0) return NULL;
            at += 4;
            if (point >= 0xd800 && point < 0xdc00) {
                if (at[1] != '\\' || at[2] != 'u') return NULL;
                long low = hex4(at + 3);
                if (low < 0xdc00 || low >= 0xe000) return NULL;
                point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
                at += 6;
            }
            to = json_point(to, point);
            if (to == NULL) return NULL;
        } else {
            if (*at == 0 || (found = strchr(simple, *at)) == NULL) return NULL;
            *to++ = means[found - simple];
        }
    }
    *to = 0;
    *rest = at + 1;
    return made;
}

static const char *json_value(const char **rest) {
    if (**rest == '"') return json_string(rest);
    size_t size = strspn(*rest, DIGITS LETTERS "_.+-");
    const char *made = slice(*rest, size), *digits = made + (*made == '-');
    *rest += size;
    if (same(made, "true") || same(made, "false") || (*digits && all_of(digits, DIGITS))) return made;
    return same(made, "null") ? "" : NULL;
}

static int json_pairs(const char *rest) {
    for (;;) {
        json_blanks(&rest);
        const char *key = json_string(&rest);
        if (key == NULL) return 0;
        json_blanks(&rest);
        if (*rest++ != ':') return 0;
        json_blanks(&rest);
        const char *value = json_value(&rest);
        if (value == NULL || json.count == MANY) return 0;
        put(&json, key, value);
        json_blanks(&rest);
        if (*rest == '}') break;
        if (*rest++ != ',') return 0;
    }
    rest++;
    json_blanks(&rest);
    return *rest == 0;
}

static int json_read(const char *path) { /* -> json; 0 where it is no such file */
    const char *rest = content(path);
    json.count = 0;
    if (rest == NULL) return 0;
    json_blanks(&rest);
    if (*rest++ != '{') return 0;
    json_blanks(&rest);
    if (*rest != '}') return json_pairs(rest);
    rest++;
    json_blanks(&rest);
    return *rest == 0;
}

/* --- What is kept ---------------------------------------------------------------------------------------------------- */

static const char *const keys[] = {
    "incomingconnections.enabled", "incomingconnections.ports", "connection.type", "proxy.url", "proxy.bypass",
    "extensions.allowlist", "extensions.blocklist", "guestconfiguration.enabled", "extensions.enabled", "config.mode",
    "guestconfiguration.agent.cpulimit", "extensions.agent.cpulimit", NULL};

#define MONITOR_LIST                                                                                                   \
    "Microsoft.EnterpriseCloud.Monitoring/OmsAgentForLinux,"                                                          \
    "Microsoft.Azure.Monitoring.DependencyAgent/DependencyAgentLinux,"                                                \
    "Microsoft.Azure.Monitor/AzureMonitorLinuxAgent,Qualys/LinuxAgent.AzureSecurityCenter,"                           \
    "Microsoft.Azure.Security.Monitoring/AzureSecurityLinuxAgent,Microsoft.Azure.AzureDefenderForServers/MDE.Linux,"   \
    "Microsoft.Azure.Monitor.VirtualMachines.GuestHealth/GuestHealthLinuxAgent,"                                      \
    "Microsoft.Azure.Monitor.VirtualMachines.GuestHealth.DEV/GuestHealthLinuxAgent,"                                  \
    "Microsoft.EnterpriseCloud.Monitoring/MicrosoftMonitoringAgent,"                                                  \
    "Microsoft.Azure.Monitoring.DependencyAgent/DependencyAgentWindows,"                                              \
    "Microsoft.Azure.Monitor/AzureMonitorWindowsAgent,Qualys/WindowsAgent.AzureSecurityCenter,"                       \
    "Microsoft.Azure.AzureDefenderForServers/MDE.Windows,"                                                            \
    "Microsoft.Azure.AzureDefenderForSQL/AdvancedThreatProtection.Windows,"                                           \
    "Microsoft.Azure.Security.Monitoring/AzureSecurityWindowsAgent,Microsoft.Azure.Security/IaaSAntimalware,"         \
    "Microsoft.Azure.Geneva/GenevaMonitoring,Microsoft.Azure.AzureDefenderForSQL/VulnerabilityAssessment.Windows,"     \
    "Microsoft.Azure.Monitor.VirtualMachines.GuestHealth/GuestHealthWindowsAgent,"                                    \
    "Microsoft.Sentinel.AzureMonitorAgentExtensions.Internal/DnsExtension,"                                           \
    "Microsoft.Sentinel.AzureMonitorAgentExtensions/MicrosoftDnsAgent"

static const char *default_of(const char *key) {
    if (same(key, "incomingconnections.enabled") || same(key, "guestconfiguration.enabled") ||
        same(key, "extensions.enabled"))
        return "true";
    if (same(key, "connection.type")) return "direct";
    if (same(key, "config.mode")) return "full";
    return strstr(key, ".cpulimit") != NULL ? "5" : "";
}

static void load(const char *name, Map *map) { /* a missing file is an empty one */
    const char *path = state_path(name);
    FILE *file = opened(path, "rb");
    if (file == NULL) return;
    fclose(file);
    if (!json_read(path)) fail(66, text("the state file %s cannot be read", name));
    for (int i = 0; i < json.count; i++)
        if (!starts(json.key[i], "tag:")) put(map, json.key[i], json.value[i]);
}

static void load_state(void) {
    for (int i = 0; keys[i] != NULL; i++) put(&conf, keys[i], default_of(keys[i]));
    load("localconfig.json", &conf);
    load("lab.json", &lab);
    load("agentconfig.json", &agent);
}

static void keep(const char *name, const Map *map) { /* whole or not at all */
    const char *path = state_path(name), *made = json_object(map);
    make_state();
    FILE *file = opened(text("%s.new", path), "wb");
    int good = file != NULL && fputs(made, file) >= 0;
    if (file != NULL) good = fclose(file) == 0 && good;
    if (!good || !renamed(text("%s.new", path), path)) fail(69, text("the state file %s cannot be written", name));
}

static void keep_settings(void) {
    Map map = {.count = 0};
    for (int i = 0; keys[i] != NULL; i++) put(&map, keys[i], get(&conf, keys[i]));
    keep("localconfig.json", &map);
}

static int connected(void) { return *get(&agent, "resourceName") != 0; }

/* --- Words in --------------------------------------------------------------------------------------------------------- */

static const char *item_at(const char **list, char mark) { /* the next of a list, NULL after the last */
    while (*list && **list == mark) ++*list;
    if (*list == NULL || **list == 0) return NULL;
    const char *end = strchr(*list, mark), *from = *list;
    *list = end;
    return end == NULL ? from : slice(from, (size_t)(end - from));
}

static int flag_named(const char *spec, const char *name, const char **longer, int *takes) {
    const char *item;
    while ((item = item_at(&spec, ' ')) != NULL) {
        size_t size = strcspn(item, ":=");
        const char *brief = item[size] == ':' ? slice(item + size + 1, 1) : "";
        *takes = item[strlen(item) - 1] == '=';
        *longer = slice(item, size);
        if (same(name, *longer) || (*name && same(name, brief))) return 1;
    }
    return 0;
}

static void flags(const char *special, int count, char **arguments) {
    const char *spec = text("%s %s", COMMON, special), *longer;
    int takes, i = 0;
    while (i < count) {
        const char *name = arguments[i++], *value = NULL, *equals = strchr(name, '=');
        if (same(name, "--")) {
            while (i < count && word_count < MANY) words[word_count++] = arguments[i++];
            break;
        }
        if (name[0] != '-' || name[1] == 0) {
            if (word_count == MANY) fail(23, "too many arguments");
            words[word_count++] = name;
            continue;
        }
        if (name[1] == '-' && equals != NULL) {
            value = equals + 1;
            name = slice(name + 2, (size_t)(equals - name - 2));
            if (strlen(name) < 2) fail(23, "unknown flag");
        } else if (name[1] == '-' && strlen(name) > 3) {
            name += 2;
        } else if (name[2] == 0) {
            name += 1;
        } else {
            value = name + 2 + (name[2] == '=');
            name = slice(name + 1, 1);
        }
        if (!flag_named(spec, name, &longer, &takes)) fail(23, text("unknown flag: %s", name));
        if (!takes) {
            if (value == NULL) value = "true";
            if (!same(value, "true") && !same(value, "false")) fail(23, text("--%s is true or false", longer));
        } else if (value == NULL) {
            if (i == count) fail(23, text("flag needs an argument: --%s", longer));
            value = arguments[i++];
        }
        put(&opt, longer, value);
    }
}

static void config_file(const char *spec) { /* the command line wins */
    if (!has(&opt, "config")) return;
    const char *path = given("config"), *longer;
    int takes;
    FILE *file = opened(path, "rb");
    char head[4] = "";
    if (file == NULL) fail(19, text("the configuration file does not exist or cannot be read: %s", path));
    if (fread(head, 1, 3, file) == 3 && same(head, "\xef\xbb\xbf"))
        fail(19, "the configuration file begins with a byte order mark; it must be UTF-8 without one");
    fclose(file);
    if (!json_read(path)) fail(19, "the configuration file is not a JSON object of flag names and values");
    for (int i = 0; i < json.count; i++) {
        if (!flag_named(spec, json.key[i], &longer, &takes) || !same(json.key[i], longer))
            fail(23, "the configuration file has a key that is no long flag name");
        if (!has(&opt, longer)) put(&opt, longer, json.value[i]);
    }
}

static void elevated(void) {
    const char *told = environment("AZCMAGENT_LAB_ELEVATED");
    if (!(same(told, "1") || (!same(told, "0") && is_elevated()))) fail(18, NOT_ELEVATED);
}

static void no_words(void) {
    if (word_count) fail(23, "this command takes no arguments; was a value not quoted?");
}

/* --- Regions and endpoints --------------------------------------------------------------------------------------------- */

static const char *cloud, *location;

static const char *regions(const char *of) {
    if (same(of, "AzureCloud"))
        return " australiaeast australiasoutheast brazilsouth canadacentral canadaeast centralindia centralus eastasia "
               "eastus eastus2 francecentral francesouth germanynorth germanywestcentral indonesiacentral "
               "israelcentral italynorth japaneast japanwest koreacentral koreasouth malaysiawest mexicocentral "
               "northcentralus northeurope norwayeast polandcentral qatarcentral southafricanorth southafricawest "
               "southcentralus southeastasia southindia spaincentral swedencentral switzerlandnorth switzerlandwest "
               "taiwannorth uaenorth uksouth ukwest westcentralus westeurope westindia westus westus2 westus3 ";
    if (same(of, "AzureUSGovernment")) return " usgovarizona usgovtexas usgovvirginia ";
    if (same(of, "AzureChinaCloud")) return " chinaeast chinaeast2 chinaeast3 chinanorth chinanorth2 chinanorth3 ";
    return NULL;
}

static const char *his_code(const char *region) { /* where Microsoft's name for it is not known, the region's */
    static const char *const known[] = {
        "eastasia", "ea", "southeastasia", "sea", "japaneast", "je", "koreacentral", "kc", "australiaeast", "ae",
        "northeurope", "ne", "westeurope", "weu", "uksouth", "uks", "eastus", "eus", "eastus2", "eus2", "westus2",
        "wus2", "southcentralus", "scus", "westcentralus", "wcus", "usgovvirginia", "usgv", NULL};
    for (int i = 0; known[i] != NULL; i += 2)
        if (same(known[i], region)) return known[i + 1];
    return region;
}

static const char *endpoints(void) {
    const char *zone = same(cloud, "AzureCloud") ? "com" : same(cloud, "AzureUSGovernment") ? "us" : "cn";
    const char *others = "login.chinacloudapi.cn management.chinacloudapi.cn pas.chinacloudapi.cn";
    if (same(cloud, "AzureCloud"))
        others = "login.microsoftonline.com login.windows.net management.azure.com pas.windows.net";
    if (same(cloud, "AzureUSGovernment"))
        others = "login.microsoftonline.us management.usgovcloudapi.net pasff.usgovcloudapi.net";
    return text("agentserviceapi.guestconfiguration.azure.%s %s.his.arc.azure.%s %s-gas.guestconfiguration.azure.%s "
                "gbl.his.arc.azure.%s %s",
                zone, his_code(location), zone, location, zone, zone, others);
}

static int reachable(const char *host) {
    return strstr(text(",%s,", get(&lab, "unreachable")), text(",%s,", host)) == NULL;
}

static int can_be_private(const char *host) { return strstr(host, ".his.") || strstr(host, ".guestconfiguration."); }

static int lab_private(void) { return same(get(&lab, "private"), "true"); }

static void place_valid(void) { /* --cloud and --location */
    cloud = *given("cloud") ? given("cloud") : "AzureCloud";
    const char *known = regions(cloud), *from = lower(given("location"));
    if (known == NULL) fail(23, "--cloud is AzureCloud, AzureUSGovernment or AzureChinaCloud");
    char *to = (char *)text("%s", from);
    location = to;
    for (; *from; from++)
        if (*from != ' ') *to++ = *from;
    *to = 0;
    if (!*location || !all_of(location, DIGITS LETTERS) || strstr(known, text(" %s ", location)) == NULL)
        fail(20, text("%s has no region of this name", cloud));
}

/* --- connect and disconnect -------------------------------------------------------------------------------------------- */

static void required(const char *flag) {
    if (!*given(flag)) fail(16, text("--%s is required", flag));
}

static int is_guid(const char *a) {
    if (strlen(a) != 36) return 0;
    for (int i = 0; i < 36; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? a[i] != '-' : strchr(HEX, a[i]) == NULL) return 0;
    return 1;
}

static void guid(const char *flag) {
    if (*given(flag) && !is_guid(given(flag))) fail(23, text("--%s is no GUID", flag));
}

static void resource_id(const char *flag, const char *type) {
    const char *at = lower(given(flag));
    const char *parts[] = {"/subscriptions/", "/resourcegroups/",
                           text("/providers/microsoft.hybridcompute/%s/", lower(type))};
    int good = 1;
    if (!*at) return;
    for (int i = 0; i < 3 && good; i++) {
        good = starts(at, parts[i]);
        if (!good) break;
        at += strlen(parts[i]);
        good = strcspn(at, "/") > 0;
        at += strcspn(at, "/");
    }
    if (!good || *at) fail(23, text("--%s is no resource id of Microsoft.HybridCompute/%s", flag, type));
}

static int principal_proof(void) {
    return *given("service-principal-secret") || *given("service-principal-cert") ||
           *given("service-principal-cert-thumbprint");
}

static void sign_in_complete(void) {
    if (*given("service-principal-id")) {
        required("tenant-id");
        if (!principal_proof())
            fail(16, "--service-principal-id needs --service-principal-secret, --service-principal-cert or "
                     "--service-principal-cert-thumbprint");
    } else if (principal_proof()) {
        fail(16, "--service-principal-id is required");
    }
}

static int is_domain(const char *a) {
    size_t size = strlen(a);
    return all_of(a, LETTERS DIGITS "-.") && strchr(a, '.') != NULL && strstr(a, "..") == NULL && a[0] != '.' &&
           a[size - 1] != '.';
}

static void tenant_valid(const char *flag) {
    if (*given(flag) && !is_domain(given(flag))) guid(flag);
}

static void sign_in_valid(void) {
    const char *thumbprint = given("service-principal-cert-thumbprint"), *path = given("service-principal-cert");
    tenant_valid("tenant-id");
    tenant_valid("user-tenant-id");
    guid("service-principal-id");
#ifdef _WIN32
    if (*thumbprint && !(strlen(thumbprint) == 40 && all_of(thumbprint, HEX)))
        fail(23, "--service-principal-cert-thumbprint is 40 hexadecimal digits");
#else
    if (*thumbprint) fail(23, "--service-principal-cert-thumbprint needs a Windows certificate store");
#endif
    if (!*path) return;
    FILE *file = opened(path, "rb");
    if (file == NULL || fgetc(file) == EOF) fail(107, "the certificate file does not exist or is empty");
    fclose(file);
}

static void sign_in_single(void) {
    int ways = (*given("service-principal-secret") != 0) + (*given("service-principal-cert") != 0) +
               (*given("service-principal-cert-thumbprint") != 0) + (*given("access-token") != 0) +
               on("use-device-code") + on("use-azcli");
    if (ways > 1) fail(27, "more than one way to sign in was given");
}

static void sign_in(void) {
    if (starts(given("service-principal-secret"), "wrong"))
        fail(41, "the service principal or its secret was not accepted; LAB refuses secrets that begin with \"wrong\"");
    if (starts(given("access-token"), "wrong"))
        fail(12, "the access token was not accepted; LAB refuses tokens that begin with \"wrong\"");
    if (on("use-azcli")) fail(41, "no one is signed in to Azure CLI");
    if (!*given("service-principal-id") && !*given("access-token")) {
        say("INFO", "To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the "
                    "code LABDEVICE to authenticate.");
        say("INFO", "LAB signs in by itself.");
    }
}

static Map tags;

static void tag_valid(const char *name, const char *value, int named) {
    if (!named || !*name || name[strcspn(name, "<>%&\\?/")]) fail(23, "--tags is not name=value,name=value");
    if (strlen(name) > 512 || strlen(value) > 256) fail(23, "--tags has a name or value that is too long");
    if (tags.count == 50) fail(23, "--tags has more than 50 tags");
    put(&tags, text("tag:%s", name), value);
}

static void tag_pairs(void) { /* k=v,k2=v2, parts in single quotes, a backslash takes the next character as it is */
    const char *at = given("tags"), *name = "";
    int named = 0, quote = 0;
    if (!*at) return;
    at = text("%s,", at);
    char *part = malloc(strlen(at) + 1), *to = part;
    if (part == NULL) abort();
    for (; *at; at++) {
        *to = 0;
        if (*at == '\\' && at[1]) {
            *to++ = *++at;
        } else if (*at == '\'') {
            quote = !quote;
        } else if (quote || (*at != ',' && (*at != '=' || named))) {
            *to++ = *at;
        } else if (*at == '=') {
            name = text("%s", part);
            to = part;
            named = 1;
        } else {
            tag_valid(name, text("%s", part), named);
            to = part;
            name = "";
            named = 0;
        }
    }
    if (quote || named || to != part) fail(23, "--tags has a quote that is not closed");
}

static const char *resource_named(void) {
    const char *name = given("resource-name");
    if (!*name) name = slice(host_name(), strcspn(host_name(), "."));
    size_t size = strlen(name);
    if (size < 1 || size > 54 || !all_of(name, LETTERS DIGITS "_.-") || strchr("-_.", name[size - 1]) != NULL)
        fail(102, "the resource name has letters, digits, - and _, at most 54, and does not end with - or _");
    return name;
}

static void group_valid(void) {
    const char *group = given("resource-group");
    int good = strlen(group) <= 270 && group[strlen(group) - 1] != '.' &&
               group[strcspn(group, "][\"'`<>%&\\?/*#:;,=+@{}|~^$!\x7f")] == 0;
    for (const char *at = group; *at; at++)
        if ((unsigned char)*at <= 32) good = 0;
    if (!good) fail(23, "--resource-group is no name of a resource group");
}

static const char *connect_valid(void) { /* -> the resource's name */
    required("subscription-id");
    required("resource-group");
    required("location");
    sign_in_complete();
    place_valid();
    if (!is_guid(given("subscription-id"))) fail(68, "the subscription is no GUID and its name was not found");
    group_valid();
    sign_in_valid();
    guid("correlation-id");
    resource_id("private-link-scope", "privateLinkScopes");
    resource_id("gateway-id", "gateways");
    tag_pairs();
    const char *name = resource_named();
    sign_in_single();
    if (*given("gateway-id") && *given("private-link-scope"))
        fail(27, "a gateway and a private link scope exclude each other");
    if (*given("gateway-id") && !same(cloud, "AzureCloud")) fail(27, "only AzureCloud has gateways");
    return name;
}

static void connect_network(void) {
    const char *hosts = endpoints(), *host, *missing = "";
    while ((host = item_at(&hosts, ' ')) != NULL)
        if (!reachable(host)) missing = text("%s%shttps://%s", missing, *missing ? ", " : "", host);
    if (*missing && !on("ignore-network-check")) fail(26, text("required endpoints unavailable: %s", missing));
    if (lab_private() && !*given("private-link-scope"))
        fail(26, "names resolve to private addresses but no --private-link-scope was given");
}

static void lab_without(const char *forgotten) { /* lab.json forgets it */
    static const char *const names[] = {"private", "unreachable", "fail", "fail-once", "fail-says", "log-secret", "status",
                                        "show-says", "show-ends", "check-says", "check-ends", NULL};
    Map map = {.count = 0};
    if (!*get(&lab, forgotten)) return;
    put(&lab, forgotten, "");
    for (int i = 0; names[i] != NULL; i++) pair(&map, names[i], get(&lab, names[i]));
    keep("lab.json", &map);
}

static void lab_logs(void) { /* the secret, as an agent with a fault does */
    if (!same(get(&lab, "log-secret"), "true")) return;
    make_state();
    note("debug", text("signing in with %s%s", given("service-principal-secret"), given("access-token")));
}

static void lab_answers(const char *command) { /* what lab.json has it say, as it stands */
    const char *says = get(&lab, text("%s-says", command)), *code = get(&lab, text("%s-ends", command));
    if (!*says && !*code) return;
    fputs(says, stdout);
    exit(strlen(code) <= 3 && all_of(code, DIGITS) ? atoi(code) : 0);
}

static void lab_fails(void) {
    const char *code = get(&lab, "fail"), *once = get(&lab, "fail-once"), *says = get(&lab, "fail-says");
    if (*once) {
        code = once;
        lab_without("fail-once");
    }
    if (*code && strlen(code) <= 3 && all_of(code, DIGITS) && atoi(code) != 0)
        fail(atoi(code), *says ? says : "lab.json asks for this failure");
}

static const char *connect_keep(const char *name) { /* -> the resource's id */
    Map map = {.count = 0};
    const char *last = strrchr(given("gateway-id"), '/');
    const char *gateway = last == NULL ? "" : text("https://lab-%s.gw.arc.azure.com", last + 1);
    const char *correlation = *given("correlation-id") ? given("correlation-id") : uuid();
    const char *id = text("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.HybridCompute/machines/%s",
                          given("subscription-id"), given("resource-group"), name);
    pair(&map, "subscriptionId", given("subscription-id"));
    pair(&map, "resourceGroup", given("resource-group"));
    pair(&map, "resourceName", name);
    pair(&map, "tenantId", given("tenant-id"));
    pair(&map, "location", location);
    pair(&map, "cloud", cloud);
    pair(&map, "vmId", uuid());
    pair(&map, "correlationId", correlation);
    pair(&map, "privateLinkScope", given("private-link-scope"));
    pair(&map, "gatewayId", given("gateway-id"));
    pair(&map, "gatewayUrl", gateway);
    for (int i = 0; i < tags.count; i++) pair(&map, tags.key[i], tags.value[i]);
    say("INFO", text("Creating resource in Azure...    Correlation ID=%s Resource ID=%s", correlation, id));
    if (*gateway) {
        put(&conf, "connection.type", "gateway");
        keep_settings();
    }
    keep("agentconfig.json", &map);
    return id;
}

static int helped(const char *command, const char *spec) { /* true where help was asked for */
    if (!on("help")) return 0;
    const char *list = text("%s %s", spec, COMMON), *item;
    printf("Usage:\n  azcmagent %s [flags]\n\nFlags (LAB):\n", command);
    while ((item = item_at(&list, ' ')) != NULL) printf("  --%s\n", slice(item, strcspn(item, ":=")));
    return 1;
}

static void connect_machine(int count, char **arguments) {
    const char *spec = "subscription-id:s= resource-group:g= location:l= cloud= resource-name:n= use-aws-ec2-hostname "
                       "tags= " SIGN_IN " private-link-scope= gateway-id= correlation-id= ignore-network-check "
                       "enable-automatic-upgrade automanage-profile= identity-key-store=";
    Map map = {.count = 0};
    flags(spec, count, arguments);
    if (helped("connect", spec)) return;
    if (word_count && same(words[0], "existing")) fail(3, "LAB has no asynchronous onboarding");
    no_words();
    elevated();
    config_file(spec);
    load_state();
    const char *name = connect_valid();
    say("INFO", LAB);
    say("INFO", "Connecting machine to Azure... This might take a few minutes.");
    if (connected()) fail(67, "this machine is already connected; disconnect it first");
    say("INFO", "Testing connectivity to endpoints that are needed to connect to Azure... This might take a few "
                "minutes.");
    connect_network();
    sign_in();
    lab_logs();
    lab_fails();
    const char *id = connect_keep(name);
    note("info", text("connected as %s", id));
    say("INFO", "Connected machine to Azure");
    say("INFO", text("Machine overview page: https://portal.azure.com/#@%s/resource%s/overview", given("tenant-id"), id));
    pair(&map, "status", "Connected");
    if (on("json")) fputs(json_object(pair(&map, "resourceId", id)), stdout);
}

static void disconnect_connected(void) {
    if (!on("force-local-only")) {
        sign_in();
        lab_logs();
        lab_fails();
    }
    if (!removed(state_path("agentconfig.json"))) fail(69, "the state file agentconfig.json cannot be removed");
    if (same(get(&conf, "connection.type"), "gateway")) {
        put(&conf, "connection.type", "direct");
        keep_settings();
    }
    lab_without("status");
    note("info", "disconnected");
    say("INFO", "Disconnected machine from Azure");
}

static void disconnect(int count, char **arguments) {
    const char *spec = SIGN_IN " force-local-only:f";
    Map map = {.count = 0};
    flags(spec, count, arguments);
    if (helped("disconnect", spec)) return;
    no_words();
    elevated();
    config_file(spec);
    load_state();
    sign_in_complete();
    sign_in_valid();
    sign_in_single();
    say("INFO", LAB);
    if (connected())
        disconnect_connected();
    else
        say("INFO", "This machine is not connected to Azure");
    if (on("json")) fputs(json_object(pair(&map, "status", "Disconnected")), stdout);
}

/* --- check and show ---------------------------------------------------------------------------------------------------- */

static const char *check_row(const char *host, int width, const char *proxy) { /* -> what is missing */
    int reach = reachable(host), is_private = lab_private() && can_be_private(host);
    const char *tls = reach ? "TLS 1.3" : "unknown", *url = text("https://%s", host);
    const char *yes = reach ? "true" : "false", *hidden = is_private ? "true" : "false";
    if (on("json"))
        printf("\"%s\":{\"reachable\":%s,\"private\":%s,\"tls\":\"%s\",\"proxyStatus\":\"%s\",\"required\":true},", url,
               yes, hidden, tls, proxy);
    else
        printf("%-*s  |%-11s|%-9s|%-9s|%s\n", width, url, yes, hidden, tls, proxy);
    if (!reach) return url;
    if ((on("enable-pls-check") || on("use-private-link")) && !is_private && can_be_private(host))
        return text("%s (not private)", url);
    return "";
}

static void check(int count, char **arguments) {
    const char *spec = "cloud= location:l= enable-pls-check:p use-private-link extensions:e= include-all";
    const char *hosts, *host, *missing = "";
    int width = 0;
    flags(spec, count, arguments);
    if (helped("check", spec)) return;
    no_words();
    elevated();
    config_file(spec);
    load_state();
    lab_answers("check");
    if (!*given("location")) put(&opt, "location", get(&agent, "location"));
    if (!*given("cloud")) put(&opt, "cloud", get(&agent, "cloud"));
    required("location");
    place_valid();
    const char *kind = given("extensions"), *proxy = *get(&conf, "proxy.url") ? "set" : "not used";
    if (*kind && !same(kind, "all") && !same(kind, "sql")) fail(23, "--extensions is all or sql");
    say("INFO", LAB);
    say("INFO", "Testing connectivity to endpoints that are needed to connect to Azure... This might take a few "
                "minutes.");
    hosts = endpoints();
    while ((host = item_at(&hosts, ' ')) != NULL)
        if ((int)strlen(host) + 8 > width) width = (int)strlen(host) + 8;
    if (on("json"))
        printf("{");
    else
        printf("%-*s  |%-11s|%-9s|%-9s|%s\n", width, "ENDPOINT", "REACHABLE", "PRIVATE", "TLS", "PROXY");
    hosts = endpoints();
    while ((host = item_at(&hosts, ' ')) != NULL) {
        const char *row = check_row(host, width, proxy);
        if (*row) missing = text("%s%s%s", missing, *missing ? ", " : "", row);
    }
    if (on("json")) printf("\"lab\":true}\n");
    if (!*missing) return;
    note("error", text("AZCM0026: required endpoints unavailable: %s", missing));
    fflush(stdout);
    fprintf(stderr, "%-8s%s\n", "FATAL", text("required endpoints unavailable: %s (LAB)", missing));
    exit(26);
}

static void show_field(const char *title, const char *value) {
    int wanted = word_count == 0;
    for (int i = 0; i < word_count; i++) wanted = wanted || same(lower(words[i]), lower(title));
    if (wanted) printf("%-40s: %s\n", title, value);
}

static void show(int count, char **arguments) {
    static const char *const fields[] = {"Resource Name", "resourceName", "Resource Group Name", "resourceGroup",
        "Resource Id", "resourceId", "Subscription ID", "subscriptionId", "Tenant ID", "tenantId", "VM ID", "vmId",
        "Correlation ID", "correlationId", "Location", "location", "Cloud", "cloud", "Private Link Scope",
        "privateLinkScope", "Agent Version", "agentVersion", "Agent Status", "status", "Agent Last Heartbeat",
        "lastHeartbeat", "Agent Error Code", "agentErrorCode", "Agent Error Details", "agentErrorDetails",
        "Agent Error Timestamp", "agentErrorTimestamp", "Using HTTPS Proxy", "httpsProxy", "Proxy Bypass List",
        "proxyBypassList", "Upstream Proxy", "upstreamProxy", "Gateway URL", "gatewayUrl", "Dependent Service Status",
        "dependentServiceStatus", NULL};
    const char *services = "LAB (no service is installed)", *id = "";
    Map map = {.count = 0};
    flags("os", count, arguments);
    if (helped("show", "os")) return;
    config_file("os");
    load_state();
    lab_answers("show");
    int gateway = same(get(&conf, "connection.type"), "gateway");
    if (connected())
        id = text("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.HybridCompute/machines/%s",
                  get(&agent, "subscriptionId"), get(&agent, "resourceGroup"), get(&agent, "resourceName"));
    for (int i = 0; fields[i] != NULL; i += 2) pair(&map, fields[i + 1], get(&agent, fields[i + 1]));
    pair(&map, "resourceId", id);
    pair(&map, "agentVersion", version_text);
    pair(&map, "status", !connected() ? "Disconnected" : *get(&lab, "status") ? get(&lab, "status") : "Connected");
    pair(&map, "lastHeartbeat", connected() ? now() : "");
    pair(&map, "httpsProxy", gateway ? "http://localhost:40343" : get(&conf, "proxy.url"));
    pair(&map, "proxyBypassList", get(&conf, "proxy.bypass"));
    pair(&map, "upstreamProxy", gateway ? get(&conf, "proxy.url") : "");
    pair(&map, "dependentServiceStatus", services);
    if (on("json")) {
        fputs(json_object(&map), stdout);
        return;
    }
    for (int i = 0; fields[i] != NULL; i += 2) show_field(fields[i], get(&map, fields[i + 1]));
    show_field("Agent Auto Upgrade Task Status", services);
    if (on("os")) show_field("OS", SYSTEM);
    if (!word_count) show_field("LAB", "a lab agent, nothing is sent to Azure");
}

/* --- config ------------------------------------------------------------------------------------------------------------ */

static const char *kind_of(const char *key) { /* NULL where there is no such key */
    static const char *const kinds[] = {"incomingconnections.enabled", "bool", "guestconfiguration.enabled", "bool",
        "extensions.enabled", "bool", "guestconfiguration.agent.cpulimit", "percent", "extensions.agent.cpulimit",
        "percent", "incomingconnections.ports", "ports", "extensions.allowlist", "types", "extensions.blocklist",
        "types", "proxy.bypass", "keywords", "proxy.url", "url", "config.mode", "mode", "connection.type",
        "connection", NULL};
    for (int i = 0; kinds[i] != NULL; i += 2)
        if (same(kinds[i], key)) return kinds[i + 1];
    return NULL;
}

static const char *known_kind(const char *key) {
    const char *kind = kind_of(key);
    if (kind == NULL) fail(23, "there is no such property; see config info");
    return kind;
}

static int is_list(const char *kind) { return same(kind, "ports") || same(kind, "types") || same(kind, "keywords"); }

static const char *shown(const char *key) {
    return is_list(kind_of(key)) ? text("[%s]", get(&conf, key)) : get(&conf, key);
}

static const char *titled(const char *key) {
    return starts(key, "incomingconnections.") || same(key, "connection.type") ? text("%s (preview)", key) : key;
}

static int item_valid(const char *kind, const char *item) {
    static const char *const keywords[] = {"AAD", "ARM", "AMA", "Arc", "ArcData", NULL};
    if (same(kind, "ports"))
        return strlen(item) <= 5 && all_of(item, DIGITS) && atoi(item) > 0 && atoi(item) < 65536;
    if (same(kind, "types")) {
        const char *slash = strchr(item, '/');
        return slash != NULL && slash != item && slash[1] && all_of(slash + 1, LETTERS DIGITS "._-") &&
               all_of(slice(item, (size_t)(slash - item)), LETTERS DIGITS "._-");
    }
    for (int i = 0; keywords[i] != NULL; i++)
        if (same(item, keywords[i])) return 1;
    return 0;
}

static int in_list(const char *list, const char *item) {
    return strstr(text(",%s,", list), text(",%s,", item)) != NULL;
}

static const char *list_valid(const char *key, const char *kind, const char *list) { /* trimmed, each once */
    const char *made = "", *item;
    while ((item = item_at(&list, ',')) != NULL) {
        item += strspn(item, " ");
        size_t size = strlen(item);
        while (size && item[size - 1] == ' ') size--;
        item = slice(item, size);
        if (!*item) continue;
        if (!item_valid(kind, item)) fail(23, text("invalid value for %s", key));
        if (!in_list(made, item)) made = text("%s%s%s", made, *made ? "," : "", item);
    }
    return made;
}

static int is_url(const char *a) {
    a += starts(a, "https://") ? 8 : starts(a, "http://") ? 7 : strlen(a);
    const char *at = strchr(a, '@');
    if (at != NULL) {
        for (const char *c = a; c < at; c++)
            if (*c == '/' || *c == '@' || isspace((unsigned char)*c) || (unsigned char)*c < 32 || *c == 127) return 0;
        if (at == a) return 0;
        a = at + 1;
    }
    size_t size = strspn(a, LETTERS DIGITS ".-");
    if (!size) return 0;
    a += size;
    if (*a == ':') {
        size = strspn(a + 1, DIGITS);
        if (size < 1 || size > 5) return 0;
        a += size + 1;
    }
    return same(a, "") || same(a, "/");
}

static int value_good(const char *kind, const char *value) {
    if (same(kind, "bool")) return same(value, "true") || same(value, "false");
    if (same(kind, "percent"))
        return *value && strlen(value) <= 3 && all_of(value, DIGITS) && *value != '0' && atoi(value) <= 100;
    if (same(kind, "mode")) return same(value, "full") || same(value, "monitor");
    if (same(kind, "connection")) return same(value, "direct") || same(value, "gateway") || same(value, "default");
    return !*value || is_url(value);
}

static void monitor_allows(const char *key) {
    if (!same(get(&conf, "config.mode"), "monitor")) return;
    if (same(key, "extensions.allowlist") || same(key, "extensions.blocklist") ||
        same(key, "guestconfiguration.enabled") || same(key, "incomingconnections.enabled"))
        fail(27, text("%s cannot be changed while config.mode is monitor", key));
}

static void mode_follows(const char *mode) {
    int monitor = same(mode, "monitor");
    put(&conf, "incomingconnections.enabled", monitor ? "false" : "true");
    put(&conf, "guestconfiguration.enabled", monitor ? "false" : "true");
    if (monitor) put(&conf, "extensions.allowlist", MONITOR_LIST);
    say("INFO", monitor ? "Stopping and disabling service: GC Service" : "Enabling and starting service: GC Service");
    say("INFO", "Enabling and starting service: Extension Service");
}

static void config_put(const char *key, const char *value) {
    const char *before = shown(key);
    Map map = {.count = 0};
    put(&conf, key, value);
    if (!on("json")) printf("Config property %s set to value %s (previously %s)\n", key, shown(key), before);
    if (same(key, "config.mode") && !same(before, value)) mode_follows(value);
    keep_settings();
    note("info", text("%s set", key));
    pair(&map, "key", key);
    if (on("json")) fputs(json_object(pair(&map, "value", value)), stdout);
}

static const char *list_without(const char *list, const char *items) {
    const char *made = "", *item;
    while ((item = item_at(&list, ',')) != NULL)
        if (!in_list(items, item)) made = text("%s%s%s", made, *made ? "," : "", item);
    return made;
}

static void config_set(void) {
    if (word_count != 2) fail(23, "config set takes a property and a value");
    const char *key = words[0], *value = words[1], *kind = known_kind(key);
    monitor_allows(key);
    if (is_list(kind)) {
        value = list_valid(key, kind, value);
        if (on("add"))
            value = list_valid(key, kind, text("%s,%s", get(&conf, key), value));
        else if (on("remove"))
            value = list_without(get(&conf, key), value);
    } else {
        if (on("add") || on("remove")) fail(23, text("%s is no list", key));
        if (!value_good(kind, value)) fail(23, text("invalid value for %s", key));
        if (same(value, "default")) value = "direct";
    }
    config_put(key, value);
}

static void config_clear(void) {
    if (word_count != 1) fail(23, "config clear takes a property");
    known_kind(words[0]);
    monitor_allows(words[0]);
    config_put(words[0], default_of(words[0]));
}

static void config_get(void) {
    Map map = {.count = 0};
    if (word_count != 1) fail(23, "config get takes a property");
    known_kind(words[0]);
    pair(&map, "key", words[0]);
    if (on("json"))
        fputs(json_object(pair(&map, "value", shown(words[0]))), stdout);
    else
        printf("%s\n", shown(words[0]));
}

static void config_list(void) {
    no_words();
    printf(on("json") ? "{\"localsettings\":[" : "Local Configuration Settings\n");
    for (int i = 0; keys[i] != NULL; i++) {
        if (on("json"))
            printf("%s{\"Key\":\"%s\",\"Value\":%s}", i ? "," : "", keys[i], quoted(shown(keys[i])));
        else
            printf("  %-54s: %s\n", titled(keys[i]), shown(keys[i]));
    }
    if (on("json")) printf("],\"lab\":true}\n");
}

static void config_info(void) {
    if (word_count > 1) fail(23, "config info takes at most one property");
    if (word_count) known_kind(words[0]);
    for (int i = 0; keys[i] != NULL; i++)
        if (!word_count || same(words[0], keys[i]))
            printf("%s\n    Type: %s\n    Default: %s\n", titled(keys[i]), kind_of(keys[i]), default_of(keys[i]));
}

static void usage(void) {
    puts("Azure Connected Machine Agent (LAB: a stand-in, nothing is sent to Azure)\n\nUsage:\n"
         "  azcmagent [command]\n\nCommands:\n  check\n  config (clear, get, info, list, set)\n  connect\n"
         "  disconnect\n  help\n  show\n  version");
}

static void config(int count, char **arguments) {
    static void (*const does[])(void) = {config_get, config_set, config_list, config_clear, config_info};
    static const char *const verbs[] = {"get", "set", "list", "clear", "info"};
    const char *verb = count ? arguments[0] : "";
    if (same(verb, "") || same(verb, "-h") || same(verb, "--help")) {
        usage();
        return;
    }
    for (int i = 0; i < 5; i++) {
        if (!same(verb, verbs[i])) continue;
        const char *spec = i == 1 ? "add:a remove:r" : "";
        flags(spec, count - 1, arguments + 1);
        if (helped(text("config %s", verb), spec)) return;
        elevated();
        load_state();
        does[i]();
        return;
    }
    fail(101, "config knows clear, get, info, list and set");
}

/* --- The rest ------------------------------------------------------------------------------------------------------------ */

static void version(int count, char **arguments) {
    Map map = {.count = 0};
    flags("", count, arguments);
    no_words();
    if (on("json"))
        fputs(json_object(pair(&map, "version", version_text)), stdout);
    else
        printf("azcmagent version %s (LAB)\n", version_text);
}

static int run(int count, char **arguments) {
    static void (*const does[])(int, char **) = {connect_machine, disconnect, check, show, config, version, version};
    static const char *const commands[] = {"connect", "disconnect", "check", "show", "config", "version", "--version"};
    static const char *const helps[] = {"", "help", "-h", "--help"};
    static const char *const not_here[] = {"extension", "genkey", "license", "logs", "upgrade", "partnerconfig"};
    const char *command = count > 1 ? arguments[1] : "";
    version_text = text("%.31s", (const char *)place);
    find_state();
    for (int i = 0; i < 4; i++)
        if (same(command, helps[i])) {
            usage();
            return 0;
        }
    for (int i = 0; i < 7; i++)
        if (same(command, commands[i])) {
            does[i](count - 2, arguments + 2);
            return 0;
        }
    for (int i = 0; i < 6; i++)
        if (same(command, not_here[i])) fail(3, text("LAB has no %s", command));
    fail(101, "unknown command; see azcmagent help");
    return 1;
}

#ifdef _WIN32
int wmain(int count, wchar_t **wide_arguments) {
    char **arguments = malloc(sizeof(char *) * (size_t)(count + 1));
    if (arguments == NULL) abort();
    for (int i = 0; i < count; i++) arguments[i] = (char *)narrow(wide_arguments[i]);
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
    return run(count, arguments);
}
#else
int main(int count, char **arguments) { return run(count, arguments); }
#endif
