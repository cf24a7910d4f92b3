"""Lists why azcmagent fails, told apart by what it says, because its exit codes do not tell.

42 means a reserved name, a missing registration, a policy, a quota or a role. One table for the scripts of both systems
(``reasons.sh``, ``reasons.ps1``) and for ``docs/codes.md``; the word of the row that applies is in the receipt.
Sources: troubleshoot-agent-onboard.md; Azure Resource Manager's "Troubleshoot common Azure deployment errors";
Microsoft Entra's AADSTS error codes; messages that administrators published (``tests/agent_texts.toml`` quotes them).
"""

from __future__ import annotations

from dataclasses import dataclass

YES = "yes"
NO = "no"
BY_CODE = "code"
"""Whether another attempt may help: the exit code decides, as where nothing is known."""

NAME = "@NAME@"
"""Where the scripts put what the message names: the policy."""


@dataclass(frozen=True)
class Reason:
    """One cause."""

    word: str
    """For the receipt: lower-case letters, digits and hyphens."""
    pattern: str
    """Extended regular expression that bash and .NET read alike, for a message in lower case with single blanks."""
    meaning: str
    """What is so, without a full stop."""
    do: str
    """The next step, as a sentence."""
    retry: str = NO


REASONS = (
    Reason(
        "reserved-name",
        r"reservedresourcename|trademarked or reserved word",
        "Azure reserves a word of the resource's name",
        "Give another resource_name in the bundle's definition: one without Azure's reserved words, such as Microsoft, "
        "Windows, Login or Exchange.",
    ),
    Reason(
        "provider-not-registered",
        r"missingsubscriptionregistration|subscriptionnotregistered|n.{1,3}t registered to use namespace|rps-not-found",
        "the subscription lacks the registration of a resource provider",
        "Register Microsoft.HybridCompute, Microsoft.GuestConfiguration and Microsoft.HybridConnectivity in the "
        "subscription (az provider register --namespace NAME), wait until they are registered, then run this script "
        "again.",
    ),
    Reason(
        "policy",
        r"requestdisallowedby(policy|azure)|disallowed by (policy|azure)|policyviolation",
        "an Azure Policy forbids the resource",
        f"Have the policy{NAME} changed or this resource exempted, or meet it: it often wants tags or a location, "
        "which are in the bundle's definition.",
    ),
    Reason(
        "subscription-disabled",
        r"readonlydisabledsubscription|subscriptionnotactive|disabledsubscription|"
        r"subscription '?[0-9a-z-]*'? (is|has been) (disabled|in a read.?only)",
        "the subscription is disabled",
        "Have the subscription enabled, or use another one in the bundle's definition.",
    ),
    Reason(
        "quota",
        r"quotaexceeded|exceed[a-z]* [^.]*quota|quota[^.]* exceed|resourcelimitexceeded|"
        r"maximum number of [^.]*(resources|instances|machines)|resourcecountexceed",
        "a quota of the subscription or resource group is used up",
        "Use another resource group, remove resources that are not needed, or request more quota in Azure.",
    ),
    Reason(
        "group-not-found",
        r"resourcegroupnotfound|resourcegroupbeingdeleted|resource group '[^']*' (could|can) ?not be found",
        "the resource group is not there",
        "Create the resource group, or correct resource_group in the bundle's definition.",
    ),
    Reason(
        "subscription-not-found",
        r"subscriptionnotfound|invalidsubscriptionid|subscription '?[0-9a-z-]*'? (could|can)? ?(was )?not (be )?found",
        "the subscription is not found",
        "Correct subscription_id in the bundle's definition, and check that the credentials are of its tenant.",
    ),
    Reason(
        "lock",
        r"scopelocked|following scope\(s\) are locked|operation because following scope",
        "a lock in Azure protects the resource, its group or its subscription",
        "Remove the lock in Azure, then run this script again; --force-local-only (-ForceLocalOnly) leaves the "
        "resource in Azure.",
    ),
    Reason(
        "denied",
        r"denyassignmentauthorizationfailed|deny assignment",
        "a deny assignment in Azure forbids it",
        "Use a resource group without that deny assignment.",
    ),
    Reason(
        "other-location",
        r"invalidresourcelocation|already exists in location",
        "a resource of this name exists in another region",
        "Delete the stale resource in Azure, give this machine another resource_name, or correct location.",
    ),
    Reason(
        "location",
        r"locationnotavailable|noregisteredproviderfound|no registered resource provider found for location|"
        r"invalidlocation|location '?[a-z0-9 ]*'? is not available for resource type",
        "the region does not offer Azure Arc-enabled servers",
        "Correct location in the bundle's definition.",
    ),
    Reason(
        "invalid-name",
        r"invalidresourcename|resourcename(invalid|notvalid)|invalid resource name|"
        r"resource name '[^']*' (is )?(not valid|invalid)",
        "Azure does not accept the resource's name",
        "Give resource_name in the bundle's definition: letters, digits, dots, - and _, not ending in - or _.",
    ),
    Reason(
        "linked-resource",
        r"(privatelinkscopes|gateways)/[^ ]+ (under resource group '[^']*' )?(was|is|could) not (be )?found|"
        r"linkedinvalidpropertyid",
        "the private link scope or the Arc gateway is not there",
        "Correct private_link_scope or gateway_id in the bundle's definition.",
    ),
    Reason(
        "tags",
        r"invalidtag|tag(name|value|s)(invalid|notvalid|toolong)|too many tags|invalid tag",
        "Azure does not accept the tags",
        "Correct tags in the bundle's definition.",
    ),
    Reason(
        "secret-expired",
        r"aadsts7000222|client secret[a-z ']* (is|are|has|have)? ?expired|expired client secret",
        "the service principal's secret has expired",
        "Make a new secret for the service principal, then run this script again with it.",
    ),
    Reason(
        "wrong-secret",
        r"aadsts7000215|invalid client secret",
        "the service principal's secret is wrong",
        "Give the secret's value (not its id), of the service principal in the definition.",
    ),
    Reason(
        "wrong-certificate",
        r"aadsts(700027|700030|7000214)|client assertion (failed signature|contains an invalid signature)",
        "Microsoft Entra does not know the service principal's certificate",
        "Upload the certificate to the service principal, or use the one that is there.",
    ),
    Reason(
        "clock",
        r"aadsts700024|not within its valid time range|token is not yet valid",
        "the sign-in was refused because of the time: this machine's clock is wrong",
        "Correct this machine's clock, then run this script again.",
    ),
    Reason(
        "wrong-tenant",
        r"aadsts(90002|50020|50034|90072|700016|650052|500011)|invalidauthenticationtokentenant|"
        r"n.{1,3}t found in the directory|tenant '[^']*' (was )?not found|wrong issuer",
        "the credentials are not of this tenant",
        "Check tenant_id and the service principal's id in the bundle's definition.",
    ),
    Reason(
        "account-disabled",
        r"aadsts(7000112|50057|90094|65001)|application '[^']*' is disabled|user account is disabled",
        "the account or application that signs in is disabled or lacks consent",
        "Have it enabled in Microsoft Entra.",
    ),
    Reason(
        "conditional-access",
        r"aadsts(53000|53001|53002|53003|50005|50074|50076|50079|50097|50158|530003)|conditional access",
        "a Conditional Access policy refused the sign-in",
        "Sign in with a service principal, or have this sign-in exempted.",
    ),
    Reason(
        "token",
        r"expiredauthenticationtoken|invalidauthenticationtoken|aadsts(70043|700082|50173|50013)|"
        r"(access )?token (has |is )?(expired|invalid)",
        "the access token is not valid",
        "Get a fresh token, then run this script again.",
    ),
    Reason(
        "sign-in-late",
        r"aadsts(70016|70019|70020)|code_expired|device code (has |is )?expired",
        "the sign-in was not completed in time",
        "Run this script again, and complete the sign-in within 15 minutes.",
    ),
    Reason(
        "throttled",
        r"toomanyrequests|requeststhrottled|too many requests|httpstatuscode: ?429|status code=429|throttl",
        "Azure asks to wait: too many requests",
        "Run this script again later; spread the machines over time.",
        YES,
    ),
    Reason(
        "role",
        r"authorizationfailed|does ?n.{1,3}t have authorization to perform action|authorization_requestdenied|"
        r"invalid.?client.?permission|insufficient privileges|linkedaccesscheckfailed",
        "the credentials lack a role, or a new assignment is not in effect yet",
        "Assign the role Azure Connected Machine Onboarding on the resource group (to remove a resource: Azure "
        "Connected Machine Resource Administrator); a new assignment takes some minutes.",
        YES,
    ),
    Reason(
        "change-token",
        r"change token",
        "the first command after an installation may fail this way",
        "Run this script again.",
        YES,
    ),
    Reason(
        "service",
        r"internalservererror|serviceunavailable|gatewaytimeout|servertimeout|operationtimedout|"
        r"httpstatuscode: ?50[0-9]|status code=50[0-9]|aadsts(90033|90012|50196)",
        "a service of Azure failed for now",
        "Run this script again; Azure's status page shows outages.",
        YES,
    ),
    Reason(
        "proxy",
        r"proxyconnect|proxy authentication required|407 proxy|statuscode: ?407|network is forbidden|"
        r"(azure|windows|microsoftonline|microsoft)\.[a-z]{2,3}/[^ ]*: forbidden",
        "the proxy does not let the agent through",
        "Check proxy_url in the bundle's definition and the proxy's rules; the agent cannot sign in to a proxy.",
        BY_CODE,
    ),
    Reason(
        "tls",
        r"x509:|unknown authority|remote error: tls|tls: [a-z]|handshake failure|certificate is not trusted|"
        r"ssl/tls secure channel",
        "TLS to Azure fails: a root is missing, or a device opens the connections",
        "Compare the preflight's table: trust the named root, or exempt Azure's addresses from TLS inspection.",
        BY_CODE,
    ),
    Reason(
        "dns",
        r"no such host|server misbehaving|temporary failure in name resolution|name resolution",
        "a name of Azure's does not resolve",
        "Correct this machine's name resolution, then run this script again.",
        BY_CODE,
    ),
    Reason(
        "private-link",
        r"private.?link.?scope|private endpoint|resolve[a-z]* to (a )?private",
        "private endpoints and the private link scope do not fit",
        "Build the bundle with the private link scope of these endpoints, or correct this machine's name resolution.",
    ),
    Reason(
        "network",
        r"dial tcp|connection refused|connection reset|i/o timeout|context deadline exceeded|network is unreachable|"
        r"forcibly closed|required endpoints unavailable|connectex:|: eof|timed out",
        "an endpoint of Azure's is not reached",
        "Open the addresses in config/endpoints.json, then run this script again.",
        BY_CODE,
    ),
    Reason(
        "resource-gone",
        r"resourcenotfound|hcrp404|parentresourcenotfound|httpstatuscode: ?404|status code=404",
        "the resource is no longer in Azure",
        "Disconnect this machine locally (--uninstall or --reconnect with --force-local-only; -ForceLocalOnly), then "
        "run this script again.",
    ),
    Reason(
        "name-taken",
        r"resource '[^']*' already exists|resource already exists|resourcealreadyexists",
        "a resource of this name exists already",
        "Delete the stale resource in Azure, or give this machine another resource_name.",
        BY_CODE,
    ),
)
"""In the order in which they are tried: the first that fits is taken."""
