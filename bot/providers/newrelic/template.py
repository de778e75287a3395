"""The message template that socmon asks New Relic to send.

`{{json …}}` escapes a value. New Relic refuses to save a template that names an attribute an issue lacks, and sends
nothing when one is missing later, so what may be missing stands inside `{{#if}}`.
https://docs.newrelic.com/docs/alerts/get-notified/message-templates/
"""

TEMPLATE = """\
{
  "v": 1,
  "issueId": {{json issueId}},
  "state": {{json state}},
  "trigger": {{json triggerEvent}},
  "priority": {{json priority}},
  "title": {{json annotations.title.[0]}},
  "conditionName": {{json accumulations.conditionName}},
  "conditionFamilyId": {{json accumulations.conditionFamilyId}},
  "policyName": {{json accumulations.policyName}},
  "entities": {{json entitiesData.names}},
  "guids": {{json entitiesData.ids}},
  "runbook": {{#if accumulations.runbookUrl}}{{json accumulations.runbookUrl.[0]}}{{else}}null{{/if}},
  "url": {{json issuePageUrl}},
  "chart": {{#if violationChartUrl}}{{json violationChartUrl}}{{else}}null{{/if}},
  "createdAt": {{createdAt}},
  "updatedAt": {{updatedAt}},
  "closedAt": {{#if closedAt}}{{closedAt}}{{else}}null{{/if}},
  "acknowledgedBy": {{#if acknowledgedBy}}{{json acknowledgedBy}}{{else}}null{{/if}},
  "workflow": {{json workflowName}}
}
"""
