/** Rules by which the fleet is kept: kinds of VMs, when missing ones are forgotten. */
export const fleet = {
  'kinds.title': 'VM 유형 규칙', 'kinds.words': 'VM 이름에 들어 있는 말', 'kinds.example': '예: pos, 계산대', 'kinds.add': '규칙 추가',
  'kinds.hint': '태그가 없는 VM은 이름으로 유형을 정합니다. 위에서부터 처음 맞는 규칙을 쓰며, 직접 정한 유형은 바뀌지 않습니다. 영문은 단어 단위로 찾고(pos는 compose에 맞지 않습니다), *는 아무 글자나 뜻합니다.',
  'kinds.up': '위로', 'kinds.down': '아래로', 'kinds.remove': '규칙 삭제',
  'setting.purge_missing_days': '사라진 VM을 목록에서 지우기 (일 뒤, 0은 지우지 않음)',
} as const
