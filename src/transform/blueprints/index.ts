/** Functions for `transform` that make objects of lines: those of servers, of syslog and of AWS. */
export { type AccessLogEntry, type AccessLogOptions, accessLog } from './access-log.ts'
export { type VpcFlowLogEntry, type VpcFlowLogOptions, vpcFlowLog } from './flow-log.ts'
export { type LoadBalancerLogEntry, loadBalancerLog } from './load-balancer-log.ts'
export { singleLine } from './single-line.ts'
export { type StructuredSyslogEntry, type SyslogEntry, type SyslogOptions, syslog } from './syslog.ts'
export { cloudFrontLog, type W3cLogEntry, type W3cLogOptions, w3cLog } from './w3c-log.ts'
