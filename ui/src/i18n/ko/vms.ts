export const vms = {
  'vms.title': '통합 VM 관리',
  'power.ask': '{name|을/를} {verb}할까요?', 'power.sent': '{verb} 작업을 보냈습니다.',
} as const
