/* SPDX-License-Identifier: MIT */
/*
 * syscall/procnet_stat.c - files of /proc/<pid>/net that count: snmp, netstat, snmp6, dev.
 *
 * Programs look for names, so that all of Linux's stand here; what cannot happen on a
 * loopback without packets is 0.
 */
#include <syscall/procnet.h>

#include <lib/string.h>
#include <net/inet.h>
#include <net/netdev.h>

struct group {
	const char *name, *fields;
};

static const struct group snmp[] = {
	{ "Ip", "Forwarding DefaultTTL InReceives InHdrErrors "
		"InAddrErrors ForwDatagrams InUnknownProtos InDiscards "
		"InDelivers OutRequests OutDiscards OutNoRoutes "
		"ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs "
		"FragFails FragCreates OutTransmits" },
	{ "Icmp", "InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds "
		  "InParmProbs InSrcQuenchs InRedirects InEchos InEchoReps "
		  "InTimestamps InTimestampReps InAddrMasks InAddrMaskReps "
		  "OutMsgs OutErrors OutRateLimitGlobal OutRateLimitHost "
		  "OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs "
		  "OutRedirects OutEchos OutEchoReps OutTimestamps "
		  "OutTimestampReps OutAddrMasks OutAddrMaskReps" },
	{ "Tcp", "RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens "
		 "PassiveOpens AttemptFails EstabResets CurrEstab InSegs "
		 "OutSegs RetransSegs InErrs OutRsts InCsumErrors" },
	{ "Udp", "InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors "
		 "SndbufErrors InCsumErrors IgnoredMulti MemErrors" },
	{ "UdpLite", "InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors "
		     "SndbufErrors InCsumErrors IgnoredMulti MemErrors" },
};

static const struct group netstat[] = {
	{ "TcpExt", "SyncookiesSent SyncookiesRecv SyncookiesFailed "
		    "EmbryonicRsts PruneCalled RcvPruned OfoPruned "
		    "OutOfWindowIcmps LockDroppedIcmps ArpFilter TW "
		    "TWRecycled TWKilled PAWSActive PAWSEstab DelayedACKs "
		    "DelayedACKLocked DelayedACKLost ListenOverflows "
		    "ListenDrops TCPHPHits TCPPureAcks TCPHPAcks "
		    "TCPRenoRecovery TCPSackRecovery TCPSACKReneging "
		    "TCPSACKReorder TCPRenoReorder TCPTSReorder TCPFullUndo "
		    "TCPPartialUndo TCPDSACKUndo TCPLossUndo "
		    "TCPLostRetransmit TCPRenoFailures TCPSackFailures "
		    "TCPLossFailures TCPFastRetrans TCPSlowStartRetrans "
		    "TCPTimeouts TCPLossProbes TCPLossProbeRecovery "
		    "TCPRenoRecoveryFail TCPSackRecoveryFail TCPRcvCollapsed "
		    "TCPBacklogCoalesce TCPDSACKOldSent TCPDSACKOfoSent "
		    "TCPDSACKRecv TCPDSACKOfoRecv TCPAbortOnData "
		    "TCPAbortOnClose TCPAbortOnMemory TCPAbortOnTimeout "
		    "TCPAbortOnLinger TCPAbortFailed TCPMemoryPressures "
		    "TCPMemoryPressuresChrono TCPSACKDiscard "
		    "TCPDSACKIgnoredOld TCPDSACKIgnoredNoUndo TCPSpuriousRTOs "
		    "TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure "
		    "TCPSackShifted TCPSackMerged TCPSackShiftFallback "
		    "TCPBacklogDrop PFMemallocDrop TCPMinTTLDrop "
		    "TCPDeferAcceptDrop IPReversePathFilter "
		    "TCPTimeWaitOverflow TCPReqQFullDoCookies TCPReqQFullDrop "
		    "TCPRetransFail TCPRcvCoalesce TCPOFOQueue TCPOFODrop "
		    "TCPOFOMerge TCPChallengeACK TCPSYNChallenge "
		    "TCPFastOpenActive TCPFastOpenActiveFail "
		    "TCPFastOpenPassive TCPFastOpenPassiveFail "
		    "TCPFastOpenListenOverflow TCPFastOpenCookieReqd "
		    "TCPFastOpenBlackhole TCPSpuriousRtxHostQueues "
		    "BusyPollRxPackets TCPAutoCorking TCPFromZeroWindowAdv "
		    "TCPToZeroWindowAdv TCPWantZeroWindowAdv TCPSynRetrans "
		    "TCPOrigDataSent TCPHystartTrainDetect "
		    "TCPHystartTrainCwnd TCPHystartDelayDetect "
		    "TCPHystartDelayCwnd TCPACKSkippedSynRecv "
		    "TCPACKSkippedPAWS TCPACKSkippedSeq TCPACKSkippedFinWait2 "
		    "TCPACKSkippedTimeWait TCPACKSkippedChallenge TCPWinProbe "
		    "TCPKeepAlive TCPMTUPFail TCPMTUPSuccess TCPDelivered "
		    "TCPDeliveredCE TCPAckCompressed TCPZeroWindowDrop "
		    "TCPRcvQDrop TCPWqueueTooBig TCPFastOpenPassiveAltKey "
		    "TcpTimeoutRehash TcpDuplicateDataRehash TCPDSACKRecvSegs "
		    "TCPDSACKIgnoredDubious TCPMigrateReqSuccess "
		    "TCPMigrateReqFailure TCPPLBRehash TCPAORequired TCPAOBad "
		    "TCPAOKeyNotFound TCPAOGood TCPAODroppedIcmps" },
	{ "IpExt", "InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts "
		   "InBcastPkts OutBcastPkts InOctets OutOctets "
		   "InMcastOctets OutMcastOctets InBcastOctets "
		   "OutBcastOctets InCsumErrors InNoECTPkts InECT1Pkts "
		   "InECT0Pkts InCEPkts ReasmOverlaps" },
};

static const char snmp6[] =
	"Ip6InReceives Ip6InHdrErrors Ip6InTooBigErrors "
	"Ip6InNoRoutes Ip6InAddrErrors Ip6InUnknownProtos "
	"Ip6InTruncatedPkts Ip6InDiscards Ip6InDelivers "
	"Ip6OutForwDatagrams Ip6OutRequests Ip6OutDiscards "
	"Ip6OutNoRoutes Ip6ReasmTimeout Ip6ReasmReqds Ip6ReasmOKs "
	"Ip6ReasmFails Ip6FragOKs Ip6FragFails Ip6FragCreates "
	"Ip6InMcastPkts Ip6OutMcastPkts Ip6InOctets Ip6OutOctets "
	"Ip6InMcastOctets Ip6OutMcastOctets Ip6InBcastOctets "
	"Ip6OutBcastOctets Ip6InNoECTPkts Ip6InECT1Pkts "
	"Ip6InECT0Pkts Ip6InCEPkts Ip6OutTransmits Icmp6InMsgs "
	"Icmp6InErrors Icmp6OutMsgs Icmp6OutErrors "
	"Icmp6InCsumErrors Icmp6OutRateLimitHost "
	"Icmp6InDestUnreachs Icmp6InPktTooBigs Icmp6InTimeExcds "
	"Icmp6InParmProblems Icmp6InEchos Icmp6InEchoReplies "
	"Icmp6InGroupMembQueries Icmp6InGroupMembResponses "
	"Icmp6InGroupMembReductions Icmp6InRouterSolicits "
	"Icmp6InRouterAdvertisements Icmp6InNeighborSolicits "
	"Icmp6InNeighborAdvertisements Icmp6InRedirects "
	"Icmp6InMLDv2Reports Icmp6OutDestUnreachs "
	"Icmp6OutPktTooBigs Icmp6OutTimeExcds "
	"Icmp6OutParmProblems Icmp6OutEchos Icmp6OutEchoReplies "
	"Icmp6OutGroupMembQueries Icmp6OutGroupMembResponses "
	"Icmp6OutGroupMembReductions Icmp6OutRouterSolicits "
	"Icmp6OutRouterAdvertisements Icmp6OutNeighborSolicits "
	"Icmp6OutNeighborAdvertisements Icmp6OutRedirects "
	"Icmp6OutMLDv2Reports Udp6InDatagrams Udp6NoPorts "
	"Udp6InErrors Udp6OutDatagrams Udp6RcvbufErrors "
	"Udp6SndbufErrors Udp6InCsumErrors Udp6IgnoredMulti "
	"Udp6MemErrors UdpLite6InDatagrams UdpLite6NoPorts "
	"UdpLite6InErrors UdpLite6OutDatagrams "
	"UdpLite6RcvbufErrors UdpLite6SndbufErrors "
	"UdpLite6InCsumErrors UdpLite6MemErrors";

/* Those that are not 0: what stays here, and what came and went, are added up. */
static const struct {
	const char *group, *field;
	enum net_stat stat;
} counted[] = {
	{ "Ip", "InReceives", NET_IP_PACKETS },
	{ "Ip", "InDelivers", NET_IP_PACKETS },
	{ "Ip", "OutRequests", NET_IP_PACKETS },
	{ "Ip", "OutTransmits", NET_IP_PACKETS },
	{ "IpExt", "InOctets", NET_IP_BYTES },
	{ "IpExt", "OutOctets", NET_IP_BYTES },
	{ "Ip", "InReceives", NET_IP_IN },
	{ "Ip", "InHdrErrors", NET_IP_BAD_HEADER },
	{ "Ip", "InAddrErrors", NET_IP_BAD_ADDRESS },
	{ "Ip", "InUnknownProtos", NET_IP_UNKNOWN_PROTO },
	{ "Ip", "InDelivers", NET_IP_DELIVERED },
	{ "Ip", "ForwDatagrams", NET_IP_FORWARDED },
	{ "Ip", "OutRequests", NET_IP_OUT },
	{ "Ip", "OutTransmits", NET_IP_OUT },
	{ "Ip", "OutNoRoutes", NET_IP_NO_ROUTE },
	{ "Ip", "ReasmTimeout", NET_REASM_TIMEOUT },
	{ "Ip", "ReasmReqds", NET_REASM },
	{ "Ip", "ReasmOKs", NET_REASM_OK },
	{ "Ip", "ReasmFails", NET_REASM_FAILED },
	{ "Ip", "FragOKs", NET_FRAG_OK },
	{ "Ip", "FragFails", NET_FRAG_FAILED },
	{ "Ip", "FragCreates", NET_FRAG_MADE },
	{ "IpExt", "InOctets", NET_IP_IN_BYTES },
	{ "IpExt", "OutOctets", NET_IP_OUT_BYTES },
	{ "Icmp", "InMsgs", NET_ICMP_IN },
	{ "Icmp", "InErrors", NET_ICMP_BAD },
	{ "Icmp", "InCsumErrors", NET_ICMP_BAD },
	{ "Icmp", "OutMsgs", NET_ICMP_OUT },
	{ "Udp", "InErrors", NET_UDP_BAD },
	{ "Udp", "InCsumErrors", NET_UDP_BAD },
	{ "6", "Ip6InReceives", NET_IP6_IN },
	{ "6", "Ip6InHdrErrors", NET_IP6_BAD_HEADER },
	{ "6", "Ip6InAddrErrors", NET_IP6_BAD_ADDRESS },
	{ "6", "Ip6InUnknownProtos", NET_IP6_UNKNOWN_PROTO },
	{ "6", "Ip6InDelivers", NET_IP6_DELIVERED },
	{ "6", "Ip6OutForwDatagrams", NET_IP6_FORWARDED },
	{ "6", "Ip6OutRequests", NET_IP6_OUT },
	{ "6", "Ip6OutTransmits", NET_IP6_OUT },
	{ "6", "Ip6OutNoRoutes", NET_IP6_NO_ROUTE },
	{ "6", "Ip6ReasmTimeout", NET_REASM6_TIMEOUT },
	{ "6", "Ip6ReasmReqds", NET_REASM6 },
	{ "6", "Ip6ReasmOKs", NET_REASM6_OK },
	{ "6", "Ip6ReasmFails", NET_REASM6_FAILED },
	{ "6", "Ip6FragOKs", NET_FRAG6_OK },
	{ "6", "Ip6FragFails", NET_FRAG6_FAILED },
	{ "6", "Ip6FragCreates", NET_FRAG6_MADE },
	{ "6", "Ip6InOctets", NET_IP6_IN_BYTES },
	{ "6", "Ip6OutOctets", NET_IP6_OUT_BYTES },
	{ "6", "Icmp6InMsgs", NET_ICMP6_IN },
	{ "6", "Icmp6InErrors", NET_ICMP6_BAD },
	{ "6", "Icmp6OutMsgs", NET_ICMP6_OUT },
	{ "6", "Udp6InErrors", NET_UDP6_BAD },
	{ "6", "Udp6InCsumErrors", NET_UDP6_BAD },
	{ "Icmp", "InMsgs", NET_ICMP_PACKETS },
	{ "Icmp", "OutMsgs", NET_ICMP_PACKETS },
	{ "Tcp", "ActiveOpens", NET_TCP_CONNECTIONS },
	{ "Tcp", "PassiveOpens", NET_TCP_CONNECTIONS },
	{ "Tcp", "AttemptFails", NET_TCP_REFUSED },
	{ "Tcp", "EstabResets", NET_TCP_RESETS },
	{ "Tcp", "InSegs", NET_TCP_SEGMENTS },
	{ "Tcp", "OutSegs", NET_TCP_SEGMENTS },
	{ "Tcp", "OutRsts", NET_TCP_RESETS },
	{ "Udp", "InDatagrams", NET_UDP_TAKEN },
	{ "Udp", "NoPorts", NET_UDP_NO_PORT },
	{ "Udp", "InErrors", NET_UDP_FULL },
	{ "Udp", "OutDatagrams", NET_UDP_SENT },
	{ "Udp", "RcvbufErrors", NET_UDP_FULL },
	{ "6", "Ip6InReceives", NET_IP6_PACKETS },
	{ "6", "Ip6InDelivers", NET_IP6_PACKETS },
	{ "6", "Ip6OutRequests", NET_IP6_PACKETS },
	{ "6", "Ip6OutTransmits", NET_IP6_PACKETS },
	{ "6", "Ip6InOctets", NET_IP6_BYTES },
	{ "6", "Ip6OutOctets", NET_IP6_BYTES },
	{ "6", "Icmp6InMsgs", NET_ICMP6_PACKETS },
	{ "6", "Icmp6OutMsgs", NET_ICMP6_PACKETS },
	{ "6", "Udp6InDatagrams", NET_UDP6_TAKEN },
	{ "6", "Udp6NoPorts", NET_UDP6_NO_PORT },
	{ "6", "Udp6InErrors", NET_UDP6_FULL },
	{ "6", "Udp6OutDatagrams", NET_UDP6_SENT },
	{ "6", "Udp6RcvbufErrors", NET_UDP6_FULL },
};

/* Those that never change. */
static const struct {
	const char *group, *field;
	s64 v;
} constant[] = {
	{ "Ip", "DefaultTTL", 64 }, { "Tcp", "RtoAlgorithm", 1 },
	{ "Tcp", "RtoMin", 200 },   { "Tcp", "RtoMax", 120000 },
	{ "Tcp", "MaxConn", -1 },
};

static void count_live(struct inet_sock *is, void *arg)
{
	u64 *n = arg;

	*n += is->proto == IPPROTO_TCP && is->state == INET_CONNECTED;
}

static bool is_name(const char *name, const char *field, size_t len)
{
	return strlen(name) == len && !memcmp(name, field, len);
}

static s64 value_of(struct net_ns *net, const char *group, const char *field,
		    size_t len)
{
	u64 n = 0;

	for (u32 i = 0; i < ARRAY_SIZE(counted); i++) {
		if (!strcmp(counted[i].group, group) &&
		    is_name(counted[i].field, field, len))
			n += net_stat(net, counted[i].stat);
	}
	for (u32 i = 0; i < ARRAY_SIZE(constant); i++) {
		if (!strcmp(constant[i].group, group) &&
		    is_name(constant[i].field, field, len))
			return constant[i].v;
	}
	if (!strcmp(group, "Tcp") && is_name("CurrEstab", field, len))
		inet_for_each(net, count_live, &n);
	if (!strcmp(group, "Ip") && is_name("Forwarding", field, len))
		n = load_once(&net->ctl.conf_all[CONF4_FORWARDING]) ? 1 : 2;
	return (s64)n;
}

/* The next word of *@at, which is moved behind it, or NULL: its length in *@len. */
static const char *next_field(const char **at, size_t *len)
{
	const char *s = *at, *e;

	while (*s == ' ')
		s++;
	for (e = s; *e && *e != ' '; e++)
		;
	*at = e;
	*len = (size_t)(e - s);
	return *len ? s : NULL;
}

static void put_group(struct text *t, struct net_ns *net, const struct group *g)
{
	const char *at = g->fields, *f;
	size_t len;

	text_printf(t, "%s: %s\n%s:", g->name, g->fields, g->name);
	while ((f = next_field(&at, &len)))
		text_printf(t, " %ld", value_of(net, g->name, f, len));
	text_puts(t, "\n");
}

int procnet_snmp(struct text *t, struct net_ns *net, u64 arg __unused)
{
	for (u32 i = 0; i < ARRAY_SIZE(snmp); i++)
		put_group(t, net, &snmp[i]);
	return 0;
}

int procnet_netstat(struct text *t, struct net_ns *net, u64 arg __unused)
{
	for (u32 i = 0; i < ARRAY_SIZE(netstat); i++)
		put_group(t, net, &netstat[i]);
	return 0;
}

int procnet_snmp6(struct text *t, struct net_ns *net, u64 arg __unused)
{
	const char *at = snmp6, *f;
	size_t len;

	while ((f = next_field(&at, &len))) {
		text_write(t, f, len);
		for (size_t i = len; i < 32; i++)
			text_puts(t, " ");
		text_printf(t, "\t%ld\n", value_of(net, "6", f, len));
	}
	return 0;
}
